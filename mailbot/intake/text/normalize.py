"""Normalized text for comparing words: case, width, accents, curly quotes, and white space make no difference."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_TRADITIONAL = (
    "單號碼無沒關係統電腦壞機開動顯燈閃網線連斷掃燒煙濕觸損傷運輸壓變彎裂鬆脫螢幕畫記憶體風噪聲響溫過熱熔絲繼負載"
    "測錄讀寫檔鍵鼠標籤貼編撕換焊裝修維護質證購買產產貨寄發請問處應對現場購訂採報價單發票銷復覆復報狀態進詢項時間問題"
    "這個們為從後麼還會對認識別讓與您貴該設備儀製廠雲據庫號臺灣語說話錯誤頻繁滅紅綠藍響應壽緊當機歸檔種類雷擊湧湧"
    "潑灑漏浸淹漲災運鏽蝕氧鎖螺絲釘撞摔墜較輕碎裂劃傷變曲折蓋殼輸寬聯絡電視訊號數據傳輸緩慢殘確許總經濟萬與兩臺件"
    "嗎嘗試將並雖圖陣鏡頭懸掛驅鏈鐘錶準標籤簽權轉帳戶資訊賬歡謝參閱詳細達懇導備註隨雜優選擇麥葉擴範圍齊飛馬龍"
)
_SIMPLIFIED = (
    "单号码无没关系统电脑坏机开动显灯闪网线连断扫烧烟湿触损伤运输压变弯裂松脱萤幕画记忆体风噪声响温过热熔丝继负载"
    "测录读写档键鼠标签贴编撕换焊装修维护质证购买产产货寄发请问处应对现场购订采报价单发票销复复复报状态进询项时间问题"
    "这个们为从后么还会对认识别让与您贵该设备仪制厂云据库号台湾语说话错误频繁灭红绿蓝响应寿紧当机归档种类雷击涌涌"
    "泼洒漏浸淹涨灾运锈蚀氧锁螺丝钉撞摔坠较轻碎裂划伤变曲折盖壳输宽联络电视讯号数据传输缓慢残确许总经济万与两台件"
    "吗尝试将并虽图阵镜头悬挂驱链钟表准标签签权转帐户资讯账欢谢参阅详细达恳导备注随杂优选择麦叶扩范围齐飞马龙"
)


def _translation_table() -> dict[int, str | None]:
    """Map accented letters to base letters, curly quotes to straight ones, and invisible characters to nothing."""
    table: dict[int, str | None] = {}
    for code_point in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code_point))[0]
        if base != chr(code_point):
            table[code_point] = base
    straight = dict.fromkeys("\u2018\u2019\u00b4`", "'") | dict.fromkeys("“”„«»", '"')
    dashes = dict.fromkeys(DASHES, "-")
    table |= {
        ord(char): replacement for char, replacement in (straight | dashes | {"\u0131": "i", "ł": "l", "ø": "o", "đ": "d"}).items()
    }
    # Traditional and simplified Chinese share one word list.
    table |= {ord(traditional): simplified for traditional, simplified in zip(_TRADITIONAL, _SIMPLIFIED, strict=True)}
    return table | dict.fromkeys((0x307, 0xAD, *INVISIBLE))


# Zero-width and direction characters: pasted serial numbers may contain them, and they have no meaning here.
INVISIBLE = (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A), 0xFEFF)
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_TRANSLATION = _translation_table()


@lru_cache(maxsize=4096)
def normalize(text: str) -> str:
    """Return the text as words are compared: NFKC, case-folded, without Latin accents, with single spaces."""
    if text.isascii():
        folded = text.lower().replace("`", "'")
    else:
        folded = unicodedata.normalize("NFKC", text).casefold().translate(_TRANSLATION)
    return " ".join(folded.split())
