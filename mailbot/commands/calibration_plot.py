"""A plot of certainty against accuracy as SVG: a line for each language, and the diagonal of a perfect calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_SIZE, _EDGE = 420, 50
_COLORS = ("#000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999")


def plotted(ranges: Mapping[str, Sequence[tuple[float, int, float]]]) -> str:
    """Return the plot; ``ranges`` are those of ``runtime.classifier.scoring.calibration``."""
    names = sorted(ranges, key=lambda name: -sum(count for _, count, _ in ranges[name]))
    height = _SIZE + 18 * len(names)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_SIZE}" height="{height}" fill="#fff"/>',
        f'<path d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}" stroke="#bbb" stroke-dasharray="4"/>',
        f'<path d="M{_x(0)} {_y(1)}V{_y(0)}H{_x(1)}" stroke="#333" fill="none"/>',
        f'<text x="{_SIZE / 2}" y="{_SIZE - 10}" text-anchor="middle">certainty</text>',
        f'<text x="14" y="{_SIZE / 2}" transform="rotate(-90 14 {_SIZE / 2})" text-anchor="middle">share that is right</text>',
        *(f'<text x="{_x(v)}" y="{_y(0) + 15}" text-anchor="middle">{v:.1f}</text>' for v in (0.2, 0.4, 0.6, 0.8, 1.0)),
        *(f'<text x="{_x(0) - 6}" y="{_y(v) + 4}" text-anchor="end">{v:.1f}</text>' for v in (0.2, 0.4, 0.6, 0.8, 1.0)),
    ]
    for index, name in enumerate(names):
        color, width = _COLORS[index % len(_COLORS)], 3 if name == "all" else 1
        points = " ".join(f"{_x(step + 0.05)},{_y(share)}" for step, _, share in ranges[name])
        count = sum(count for _, count, _ in ranges[name])
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="{width}"/>')
        parts.append(f'<text x="{_EDGE}" y="{_SIZE + 12 + 18 * index}" fill="{color}">{name}: {count} sentences</text>')
    return "\n".join((*parts, "</svg>\n"))


def _x(value: float) -> float:
    return round(_EDGE + value * (_SIZE - 2 * _EDGE), 1)


def _y(value: float) -> float:
    return round(_SIZE - _EDGE - value * (_SIZE - 2 * _EDGE), 1)
