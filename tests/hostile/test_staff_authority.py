"""Promise 5: no From header confers authority. What an email proves of its writer, before anybody asks what it says."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.approval_cases import Notice, Situation, answer, approvals, bare
from support.forgeries import forged
from support.memory_desk import PORTWELL, policy

from mailbot.case import tokens
from mailbot.case.authority import proof
from mailbot.intake.desk import Desk, staff_member
from mailbot.mail.build import Draft, build
from mailbot.mail.parse import parse
from mailbot.model import Case, Command, Message, Proof, StaffMember, Token

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
MAILBOX, SERVER = "rma@portwell.example", "mx.portwell.example"
BOSS = StaffMember("boss@portwell.example", ("approver", "desk"))
KAY = StaffMember("kay@portwell.example", ("approver",))
DESK = Desk(MAILBOX, policy(PORTWELL).desk.words, staff=(BOSS, KAY), trusted_authserv_id=SERVER)
PROVED = {"server", "token", "confirmation", "trust"}


def minted(count: int, who: StaffMember = BOSS, *, age: timedelta = timedelta(0), version: int = 3, **more: object) -> Token:
    chance = sha256(b"chance").hexdigest()[:32]
    return tokens.mint(chance, count, who, NOW - age + tokens.LIFETIME, version, **more)  # type: ignore[arg-type]


def case(name: str, *held: Token) -> Case:
    """A held case whose third decision of staff has been taken."""
    return Case(name, MAILBOX, "x", "kim@acme.example", "held", NOW, version=3, tokens=held)


def notice(of: str, token: Token) -> bytes:
    """A notice that we sent, its token in Reply-To and Message-ID."""
    return build(
        Draft(
            mailbox_name="Returns",
            mailbox=MAILBOX,
            to=token.person,
            subject="For your decision",
            message_id=f"{of.lower()}.s1.{token.secret}@portwell.example",
            date=NOW,
            text="For your decision.",
            reply_to=tokens.address(MAILBOX, of, token),
        )
    )


GOOD, KAYS = minted(1), minted(2, KAY)
OLD = minted(3, age=timedelta(days=7, seconds=1))
SPENT = minted(4, version=2)
OTHERS = minted(5)
CASE = case("C-BCDFGHJKMN", SPENT, OLD, KAYS, GOOD)
OTHER = case("C-NMKJHGFDCB", OTHERS)
SITUATION = Situation(
    mailbox=MAILBOX,
    server=SERVER,
    person=BOSS.address,
    colleague=KAY.address,
    customer="kim@acme.example",
    notice=notice(CASE.id, GOOD),
    staff=notice(CASE.id, KAYS),
    others=notice(OTHER.id, OTHERS),
    expired=notice(CASE.id, OLD),
    spent=notice(CASE.id, SPENT),
)
FORGED, GENUINE = forged(SITUATION), approvals(SITUATION)


def arrived(raw: bytes, desk: Desk = DESK) -> Message:
    return parse(
        raw, mailbox=desk.address, arrived_at=NOW, trusted_authserv_id=desk.trusted_authserv_id, profile=desk.authentication_results
    )


def proved(raw: bytes, at: Case | None = CASE, now: datetime = NOW, desk: Desk = DESK) -> Proof:
    return proof(arrived(raw, desk), at, desk, now)[0]


def numbered(emails: list[tuple[str, bytes]]) -> list[str]:
    """A readable name for each mail."""
    seen: Counter[str] = Counter()
    return [f"{kind} {seen.update([kind]) or seen[kind]}" for kind, _ in emails]


@pytest.mark.parametrize("raw", [raw for _, raw in FORGED], ids=numbered(FORGED))
def test_A1_to_A10_no_forgery_both_proves_something_and_says_something(raw: bytes) -> None:
    """Whatever is forged, either nothing proves the writer, or the email's own words decide nothing."""
    message = arrived(raw)
    assert "approve" not in message.visible.lower() or proof(message, CASE, DESK, NOW)[0] not in PROVED


@pytest.mark.parametrize("raw", [raw for _, raw in GENUINE], ids=numbered(GENUINE))
def test_genuine_approvals_are_proved_however_they_are_sent(raw: bytes) -> None:
    """An answer to our notice needs nothing more, and neither does an email that our server vouches for."""
    message = arrived(raw)
    assert proof(message, CASE, DESK, NOW)[0] in PROVED
    assert "approve" in message.visible.lower()


def test_there_are_enough_of_both() -> None:
    """Many kinds of forgery, all different, and as many ways to approve."""
    assert len({kind for kind, _ in FORGED}) >= 18
    assert len({raw for _, raw in FORGED}) == len(FORGED) >= 70
    assert len({raw for _, raw in GENUINE}) == len(GENUINE) >= 24


def test_A1_without_a_word_of_our_server_only_the_token_counts() -> None:
    """The same mail proves nothing without the token, and needs nothing else with it."""
    assert proved(bare(SITUATION).raw()) == "none"
    assert proved(answer(SITUATION).raw()) == "token"
    assert proved(answer(SITUATION).raw(), None) == "none", "tokens are a case's"


def test_A1_a_trusted_fail_wins_over_a_token() -> None:
    """Who writes under a false name may have got hold of a token."""
    failed = (SITUATION.results("dmarc=fail header.from=portwell.example"), SITUATION.received)
    assert proof(arrived(answer(SITUATION, trace=failed).raw()), CASE, DESK, NOW) == ("forged", None)


def test_a_token_comes_along_with_our_servers_word() -> None:
    """What waits for a confirmation is available, whichever proof counts."""
    assert proof(arrived(answer(SITUATION, trace=SITUATION.vouched).raw()), CASE, DESK, NOW) == ("server", GOOD)


def test_a_confirmation_token_brings_its_commands() -> None:
    """The answer to "did you write this?" is bound to what was asked."""
    asked = minted(6, commands=(Command("approve", "APPROVE"),))
    at = msgspec.structs.replace(CASE, tokens=(*CASE.tokens, asked))
    raw = answer(SITUATION, Notice.of(notice(CASE.id, asked))).raw()
    assert proof(arrived(raw), at, DESK, NOW) == ("confirmation", asked)


def test_the_nearest_of_several_tokens_counts() -> None:
    """A thread may hold earlier notices; the one that is answered is meant."""
    asked = minted(6, commands=(Command("approve", "APPROVE"),))
    at = msgspec.structs.replace(CASE, tokens=(*CASE.tokens, asked))
    later = Notice.of(notice(CASE.id, asked))
    earlier = Notice.of(SITUATION.notice)
    assert proof(arrived(answer(SITUATION, later, thread=earlier.id).raw()), at, DESK, NOW)[1] == asked
    assert proof(arrived(answer(SITUATION, earlier, thread=later.id).raw()), at, DESK, NOW)[1] == GOOD


def test_insecure_from_believes_a_From_but_no_forgery() -> None:
    """Where the settings say so, the From is enough; a trusted fail and a machine are not believed there either."""
    desk = msgspec.structs.replace(DESK, authority="insecure-from")
    failed = (SITUATION.results("dmarc=fail header.from=portwell.example"), SITUATION.received)
    assert proved(bare(SITUATION).raw(), desk=desk) == "trust"
    assert proved(answer(SITUATION).raw(), desk=desk) == "token"
    assert proved(bare(SITUATION, trace=failed).raw(), desk=desk) == "forged"
    assert proved(bare(SITUATION, fields=("Auto-Submitted: auto-replied",)).raw(), desk=desk) == "none"
    assert proved(bare(SITUATION, sender="joe@evil.example").raw(), desk=desk) == "none"


def test_A7_a_token_is_spent_by_the_next_decision() -> None:
    """The same approval again finds the case decided."""
    raw = answer(SITUATION).raw()
    assert proved(raw) == "token"
    assert proved(raw, msgspec.structs.replace(CASE, version=CASE.version + 1)) == "none"


def test_A8_a_token_is_good_for_seven_days() -> None:
    """The last second counts, the next one does not."""
    raw = answer(SITUATION).raw()
    assert proved(raw, now=NOW + timedelta(days=7)) == "token"
    assert proved(raw, now=NOW + timedelta(days=7, seconds=1)) == "none"


def test_A8_a_token_is_one_persons() -> None:
    """The colleague's token in the boss's mail is worth nothing, and the other way round."""
    assert proved(answer(SITUATION, Notice.of(SITUATION.staff)).raw()) == "none"
    assert proved(answer(SITUATION, sender=KAY.address).raw()) == "none"
    assert proved(answer(SITUATION, Notice.of(SITUATION.staff), sender=KAY.address).raw()) == "token"


def test_A8_every_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a wrong token takes tells nothing: each is compared with all, the right one too."""
    compared: list[tuple[str, str]] = []
    monkeypatch.setattr(tokens, "compare_digest", lambda a, b: compared.append((a, b)) or a == b)
    for raw in (answer(SITUATION).raw(), answer(SITUATION, Notice.of(SITUATION.notice).with_secret("0" * 32)).raw()):
        compared.clear()
        proved(raw)
        assert [b for _, b in compared] == [token.secret for token in CASE.tokens]


@given(st.text("0123456789abcdef", min_size=32, max_size=32))
def test_A8_a_guessed_token_is_never_found(guess: str) -> None:
    """Any other 128 bits are no one's."""
    raw = answer(SITUATION, Notice.of(SITUATION.notice).with_secret(guess)).raw()
    assert (proved(raw) == "token") == (guess == GOOD.secret)


@given(st.integers(0, 127), st.sampled_from([SITUATION.notice, SITUATION.staff]))
def test_A8_one_bit_off_is_another_token(bit: int, sent: bytes) -> None:
    """Whichever bit is flipped, the token is refused."""
    to = Notice.of(sent)
    who = BOSS.address if sent is SITUATION.notice else KAY.address
    off = to.with_secret(f"{int(to.secret, 16) ^ 1 << bit:032x}")
    assert proved(answer(SITUATION, to, sender=who).raw()) == "token"
    assert proved(answer(SITUATION, off, sender=who).raw()) == "none"


@given(st.text(max_size=80))
def test_A8_noise_in_address_and_thread_presents_nothing(noise: str) -> None:
    """What is no token of our form is not even compared."""
    line = " ".join(noise.split()).replace(",", " ")
    raw = bare(SITUATION, to=f"rma+{line}@portwell.example, {MAILBOX}", thread=f"<{line}@portwell.example>").raw()
    assert tokens.presented(arrived(raw)) == ()


@pytest.mark.parametrize("sort", ["auto", "bounce", "list", "spam"])
def test_L5_B4_a_machine_is_nobody_whatever_it_quotes(sort: str) -> None:
    """An absence note or a delivery report that quotes "approve" is never a word of staff."""
    message = arrived(answer(SITUATION, trace=SITUATION.vouched).raw())
    machine = msgspec.structs.replace(message.classification, sender_class=sort)
    assert staff_member(msgspec.structs.replace(message, classification=machine), DESK) is None


@pytest.mark.parametrize(
    "sender",
    [
        "boss@p\u043ertwell.example",
        "boss@xn--prtwell-6ig.example",
        "boss@\uff50ortwell.example",
        "boss@portwell.example.",
        "boss@portwell.example.evil.example",
        "bo\u017fs@portwell.example",
        "\u212aay@portwell.example",
        "boss+x@portwell.example",
        "bo\u200bss@portwell.example",
        "boss @portwell.example",
        "boss@portwell.example@evil.example",
    ],
)
def test_U1_a_look_alike_is_nobody(sender: str) -> None:
    """A letter of another alphabet, width or sign, one that folds to the same, a dot or a plus more: somebody else."""
    assert staff_member(arrived(answer(SITUATION, sender=sender).raw()), DESK) is None


@pytest.mark.parametrize("sender", ["BOSS@Portwell.Example", "<boss@portwell.example>", "Boss (me) <boss@portwell.example>"])
def test_U1_capitals_and_names_make_no_difference(sender: str) -> None:
    """The address counts as mail programs write it."""
    assert staff_member(arrived(answer(SITUATION, sender=sender).raw()), DESK) == BOSS


# ------------------------------------------------------------------ tokens


def test_every_notice_has_its_own_token() -> None:
    """Notices of one step differ, those of two steps too; the same step again gives the same."""
    chances = [sha256(bytes([n])).hexdigest()[:32] for n in range(5)]
    made = [tokens.mint(chance, count, BOSS, NOW, 0).secret for chance in chances for count in range(5)]
    assert len(set(made)) == 25
    assert all(len(secret) == 32 for secret in made)
    assert not set(made) & set(chances), "the chance itself goes nowhere"
    assert tokens.mint(chances[0], 1, BOSS, NOW, 0) == tokens.mint(chances[0], 1, BOSS, NOW, 0)


@pytest.mark.parametrize("chance", ["", "0" * 31, "x" * 32])
def test_without_chance_there_is_no_token(chance: str) -> None:
    """A token that can be guessed is not made."""
    with pytest.raises(ValueError, match="128 bits"):
        tokens.mint(chance, 1, BOSS, NOW, 0)


def test_an_address_with_a_token_fits() -> None:
    """The Reply-To is an address that any server takes; where it would be too long, the Message-ID has to do."""
    assert tokens.address("RMA@Portwell.example", "C-BCDFGHJKMN", GOOD) == f"rma+c-bcdfghjkmn.{GOOD.secret}@portwell.example"
    for length in range(1, 64):
        box = f"{'r' * length}@x.example"
        made = tokens.address(box, "C-BCDFGHJKMN", GOOD)
        assert len(made.partition("@")[0]) <= 64
        assert made == box or length <= 64 - 46 + 1
