"""What every store promises: one class of tests that each of them passes."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from support.stores import (
    KIM,
    NOON,
    RMA,
    a_case,
    a_deadline,
    a_number,
    a_reply,
    a_step,
    after,
    bare,
    changed,
    commit,
    content,
    due,
    ledger,
    pending,
    something,
    states,
    told,
    unsent,
)

from mailbot.case import delivery
from mailbot.model import CaseUnit, DueDate
from mailbot.runtime.store import DuplicateError, StateError, open_store

USES = ["memory", "tinydb", "postgresql"]


@pytest.fixture(params=USES)
def url(request, tmp_path):
    """The address of an empty store, for each of the three uses."""
    if request.param == "postgresql":
        return request.getfixturevalue("a_postgres").new_database()
    return "memory:" if request.param == "memory" else f"tinydb:{tmp_path / 'state'}"


@pytest.fixture
def store(url):
    opened = open_store(url)
    yield opened
    opened.close()


class TestStore:
    def test_a_case_is_found_again_as_it_was_stored(self, store):
        """What was decided yesterday reads the same today."""
        case = a_case(replies=(a_reply(),), number=a_number("RMA-1"), deadlines=(a_deadline(after(days=7)),))
        commit(store, a_step(case))
        assert store.case("C-1") == bare(case)
        assert store.case("C-2") is None
        assert list(store.cases()) == [bare(case)]
        assert [reply.raw for reply in unsent(store, NOON)] == [case.replies[0].raw]

    def test_cases_come_in_the_order_in_which_they_were_opened(self, store):
        """A list of cases begins with the oldest."""
        commit(store, a_step(a_case("C-a", opened_at=after(hours=2))), a_step(a_case("C-b", opened_at=after(hours=1))))
        assert [case.id for case in store.cases()] == ["C-b", "C-a"]

    def test_a_thread_leads_to_its_case(self, store):
        """An answer to our mail, or to the customer's own first mail, belongs to the case; the nearest comes first."""
        commit(store, a_step(a_case("C-1", emails=("in-1@y",), replies=(a_reply("out-1@x"),))))
        commit(store, a_step(a_case("C-2", emails=("in-2@y",), replies=(a_reply("out-2@x"),))))
        assert [case.id for case in store.find(["nobody@z", "out-2@x", "in-1@y", "in-2@y"], [])] == ["C-2", "C-1"]
        assert store.find(["OUT-1@x"], []) == ()

    def test_a_name_leads_to_its_case(self, store):
        """A case is found by its id and by its RMA number in any capitals, also by a number that was replaced since."""
        case = a_case(number=a_number("RMA-2026-1X"))
        commit(store, a_step(case))
        commit(store, a_step(changed(case, number=a_number("RMA-2026-2Y"))))
        for name in ("c-1", "rma-2026-1x", "RMA-2026-2Y"):
            assert [found.id for found in store.find([], [name])] == ["C-1"]
        assert store.find(["C-1"], ["RMA-9"]) == ()

    def test_a_closed_case_is_still_found(self, store):
        """A customer who writes again after the end is recognized."""
        case = a_case(state="expired", replies=(a_reply(state="sent"),), number=a_number("RMA-1"))
        commit(store, a_step(case))
        assert store.find(["out-1@x"], []) == store.find([], ["RMA-1"]) == (bare(case),)
        assert list(store.cases()) == [bare(case)]

    def test_a_case_that_continues_after_its_end_is_there_once(self, store):
        """An expired number that is renewed continues in the same case."""
        case = a_case(state="expired")
        commit(store, a_step(case))
        commit(store, a_step(changed(case, state="authorized")))
        assert [found.state for found in store.cases()] == ["authorized"]
        assert states(store) == {"authorized": 1}

    @pytest.mark.parametrize("over", ["declined", "closed", "expired", "withdrawn"])
    def test_a_unit_leads_to_its_open_cases(self, store, over):
        """A second request for a unit meets the open case of the first, in this mailbox, however the serial is written."""
        commit(
            store,
            a_step(a_case("C-1", opened_at=after(hours=1))),
            a_step(a_case("C-2", serials=("ah2f10", "other"))),
            a_step(a_case("C-3", mailbox="rma@servertech.example")),
            a_step(a_case("C-4", state=over)),
        )
        assert [case.id for case in store.open_cases(RMA, ["AH2F10", "OTHER"])] == ["C-2", "C-1"]
        assert store.open_cases(RMA, ["UNKNOWN"]) == store.open_cases(RMA, []) == ()

    def test_a_unit_that_left_its_case_leads_nowhere(self, store):
        """A corrected serial no longer points to the case."""
        case = a_case()
        commit(store, a_step(case))
        commit(store, a_step(changed(case, units=(CaseUnit("NEW", "asking", "ask", ()),))))
        assert store.open_cases(RMA, ["AH2F10"]) == ()
        assert [found.id for found in store.open_cases(RMA, ["NEW"])] == ["C-1"]

    def test_an_email_takes_effect_once(self, store):
        """The same mail delivered twice is recognized, and refused by the store if nobody asked."""
        assert not store.recorded("in-1@y digest")
        commit(store, a_step(a_case(), identity="in-1@y digest"))
        assert store.recorded("in-1@y digest").folder == "Done"
        with pytest.raises(DuplicateError, match="in the log"):
            store.stage(a_step(a_case("C-2"), identity="in-1@y digest"))
        store.commit()
        assert [case.id for case in store.cases()] == ["C-1"]

    def test_an_rma_number_is_given_to_one_case_only(self, store):
        """Two cases never share an RMA number (ST-4), and the rest of the batch is not harmed."""
        commit(store, a_step(a_case("C-1", number=a_number("RMA-1"))))
        store.stage(a_step(a_case("C-2")))
        with pytest.raises(DuplicateError, match=r"(?i)rma-1"):
            store.stage(a_step(a_case("C-3", number=a_number("rma-1")), identity="in-3@y digest"))
        store.commit()
        assert [case.id for case in store.cases()] == ["C-1", "C-2"]
        assert not store.recorded("in-3@y digest")

    def test_sequences_never_repeat(self, store):
        """Each new RMA number uses up a sequence, at once and for good; what is rolled back was never given out."""
        assert store.next_sequence() == 1
        store.stage(a_step(a_case("C-1", number=a_number("RMA-1"))))
        assert store.next_sequence() == 2
        store.stage(a_step(a_case("C-1", number=a_number("RMA-1"), subject="again")))
        assert store.next_sequence() == 2
        store.rollback()
        assert store.next_sequence() == 1
        commit(store, a_step(a_case("C-1", number=a_number("RMA-1"))))
        commit(store, a_step(a_case("C-1", number=a_number("RMA-2"))))
        assert store.next_sequence() == 3

    def test_direct_answers_to_an_address_are_counted(self, store):
        """The day's cap counts answers over all cases and notes, and neither reminders nor other people's mail."""
        commit(
            store,
            a_step(a_case("C-1", replies=(a_reply("1"), a_reply("2", direct=False), a_reply("3", at=after(hours=-1))))),
            a_step(a_case("C-2", replies=(a_reply("4", to="Kim@Acme.example"), a_reply("5", to="lee@acme.example")))),
            a_step(replies=(a_reply("6"),)),
        )
        store.stage(a_step(replies=(a_reply("7"),)))
        assert store.answers_since("KIM@acme.example", NOON) == 4

    def test_what_is_staged_is_seen_and_can_be_forgotten(self, store):
        """Emails of one batch see each other's effects; a batch that is given up leaves none."""
        before = told(store)
        store.stage(a_step(a_case(replies=(a_reply(),), number=a_number("RMA-1")), identity="in-1@y digest"))
        store.stage(a_step(replies=(a_reply("out-2@x"),)))
        store.set_fact("uid", "17")
        assert store.find(["out-1@x"], []) == (store.case("C-1"),)
        assert store.open_cases(RMA, ["AH2F10"])
        assert store.recorded("in-1@y digest")
        assert len(ledger(store)) == 1
        assert store.get_fact("uid") == "17"
        assert store.answers_since(KIM, NOON) == 2
        store.rollback()
        assert told(store) == before
        store.commit()
        assert told(store) == before

    def test_a_staged_step_is_not_committed_by_a_mark(self, store):
        """While a batch is staged, a delivery is marked with a step or not at all."""
        commit(store, a_step(a_case(replies=(a_reply(),))))
        store.stage(a_step(a_case("C-2", replies=(a_reply("out-2@x"),))))
        with pytest.raises(RuntimeError, match="a batch is staged"):
            store.mark(a_reply(state="sent"))
        store.rollback()
        assert store.case("C-2") is None
        with pytest.raises(KeyError):
            store.mark(a_reply("out-2@x", state="sent"))

    def test_replies_go_out_in_the_order_of_their_creation(self, store):
        """First written, first sent, over all cases."""
        commit(store, a_step(a_case("C-9", replies=(a_reply("b", at=after(hours=1)),))))
        commit(store, a_step(a_case("C-1", replies=(a_reply("c", at=after(hours=1)), a_reply("a")))))
        assert [reply.message_id for reply in unsent(store, NOON)] == ["a", "b", "c"]

    def test_a_delivery_takes_its_course(self, store):
        """A deferred reply waits for its time; one that was sent, failed or held is never sent again."""
        commit(store, a_step(a_case(replies=(a_reply(),))))
        for state, due_at, goes in [
            ("deferred", after(hours=2), False),
            ("deferred", after(hours=1), True),
            ("ambiguous", after(hours=2), False),
            ("ambiguous", after(hours=1), True),
            ("held", None, False),
            ("failed", None, False),
            ("sent", None, False),
        ]:
            marked = changed(a_reply(), state=state, attempts=3, due_at=due_at, note="450 later", ambiguous_attempts=1)
            store.mark(changed(marked, raw="something else"))
            assert unsent(store, after(hours=1)) == ([marked] if goes else [])
            assert store.case("C-1").replies == (changed(marked, raw=""),)
            assert pending(store) == (state not in {"sent", "failed", "held"})
            assert store.outstanding(after(hours=1), [RMA]) == goes
        store.mark(a_reply(state="deferred"))
        assert store.case("C-1").replies[0].state == "sent"  # a late mark takes nothing back

    def test_a_claimed_reply_is_sent_by_one_process(self, store):
        """A claim marks the attempt as the core does, in the order of creation, for these mailboxes only."""
        replies = (a_reply("b", at=after(minutes=1)), a_reply("a"), changed(a_reply("c"), mailbox="other@x.example"))
        commit(store, a_step(a_case(replies=replies)))
        first = store.claim(after(hours=1), [RMA])
        assert first == (changed(a_reply("a"), state="sending", attempts=1, tried_at=after(hours=1)),)
        assert store.outstanding(after(hours=1), [RMA]) == 2
        second = store.claim(after(hours=1), [RMA], 5)
        assert [reply.message_id for reply in second] == ["b"]
        assert store.claim(after(hours=1), [RMA], 5) == ()
        store.mark(delivery.after_attempt(first[0], delivery.Deferred("450 later"), after(hours=1)))
        [again] = store.claim(after(hours=2), [RMA])
        assert (again.attempts, again.tried_at, again.raw) == (2, after(hours=1), first[0].raw)

    def test_an_attempt_without_an_answer_is_ambiguous(self, store):
        """Promise 3: the same bytes again after 15 minutes or more, three times at most, then held for staff."""
        commit(store, a_step(a_case(replies=(a_reply(),))))
        now = NOON
        for repeat in range(4):
            [claimed] = store.claim(now, [RMA])
            held = store.recover(now)
            [reply] = store.case("C-1").replies
            assert reply.attempts == reply.ambiguous_attempts == repeat + 1
            assert claimed.raw == a_reply().raw
            assert [each.message_id for each in held] == ([] if repeat < 3 else ["out-1@x"])
            if repeat < 3:
                assert reply.state == "ambiguous"
                assert reply.due_at >= now + timedelta(minutes=15)
                assert store.claim(reply.due_at - timedelta(seconds=1), [RMA]) == ()
                now = reply.due_at
        assert (reply.state, store.claim(after(days=30), [RMA]), store.recover(now)) == ("held", (), ())

    def test_what_this_process_is_sending_is_skipped_if_asked(self, store):
        """While this process sends, only the attempts of others that are gone count as interrupted."""
        commit(store, a_step(a_case(replies=(a_reply(),))))
        [claimed] = store.claim(NOON, [RMA])
        assert store.recover(NOON, own=False) == ()
        assert store.case("C-1").replies[0].state == "sending"
        store.mark(changed(claimed, state="sent"))
        assert store.recover(NOON) == ()

    def test_a_failed_delivery_and_its_consequence_are_one_commit(self, store):
        """That a delivery failed and what follows from it is there together or not at all (promise 3)."""
        case = a_case(replies=(a_reply(),))
        commit(store, a_step(case))
        [claimed] = store.claim(NOON, [RMA])
        for end in (store.rollback, store.commit):
            failed = changed(claimed, state="failed", note="550 no")
            store.stage(a_step(changed(store.case("C-1"), unreachable=True)), delivery=failed)
            end()
            stored = store.case("C-1")
            done = end == store.commit
            assert (stored.unreachable, stored.replies[0].state) == (done, "failed" if done else "sending")

    def test_sent_bytes_are_forgotten_in_time(self, store):
        """The bytes of a sent reply are kept for 30 days; what was not sent keeps them."""
        commit(store, a_step(a_case(replies=(a_reply("a"), a_reply("b")))))
        store.mark(a_reply("a", state="sent"))
        for days, kept in ((29, 2), (31, 1)):
            store.checkpoint(after(days=days))
            assert [bool(content(store, name)) for name in "ab"] == [kept == 2, True]
            assert store.database.value("SELECT count(digest) FROM replies") == 2
        assert len(unsent(store, after(days=31))) == 1

    def test_a_reply_without_a_case_takes_its_course_too(self, store):
        """A note to staff about an unreadable mail is sent like any other mail."""
        commit(store, a_step(replies=(a_reply("n-1"), a_reply("n-2")), identity="in-1@y digest"))
        store.mark(a_reply("n-1", state="sent"))
        assert [reply.message_id for reply in unsent(store, NOON)] == ["n-2"]
        store.mark(a_reply("n-2", state="failed"))
        assert pending(store) == 0

    def test_a_step_taken_from_an_older_look_sends_nothing_twice(self, store):
        """What was sent meanwhile stays sent, although the step still believed it queued."""
        case = a_case(replies=(a_reply(),))
        commit(store, a_step(case))
        store.mark(a_reply(state="sent"))
        commit(store, a_step(changed(case, subject="later", replies=(*case.replies, a_reply("out-2@x")))))
        assert [reply.message_id for reply in unsent(store, NOON)] == ["out-2@x"]
        assert [reply.state for reply in store.case("C-1").replies] == ["sent", "queued"]

    def test_a_case_may_say_that_a_delivery_is_over(self, store):
        """A reply that came back is marked as failed by the step that read the report."""
        case = a_case(replies=(a_reply(state="sent"),))
        commit(store, a_step(case))
        commit(store, a_step(changed(case, replies=(a_reply(state="failed"),))))
        assert store.case("C-1").replies[0].state == "failed"

    def test_due_dates_come_one_a_case(self, store):
        """After thirty days of silence a case comes due once, with its earliest date; the earliest case first."""
        late, early = a_deadline(after(days=2), "b"), a_deadline(after(days=1, microseconds=1), "a")
        commit(store, a_step(a_case("C-1", deadlines=(late,))), a_step(a_case("C-2", deadlines=(late, early))))
        assert due(store, after(days=1)) == ()
        assert store.next_due() == early.at
        assert due(store, early.at) == (DueDate("C-2", early.at),)
        assert due(store, after(days=30)) == (DueDate("C-2", early.at), DueDate("C-1", late.at))
        commit(store, a_step(a_case("C-2")), a_step(a_case("C-1")))
        assert (due(store, after(days=30)), store.next_due()) == ((), None)

    def test_the_ledger_holds_every_mail(self, store):
        """Every mail that arrived is on record, month by month, in the order in which they came."""
        for identity, days in (("a", 30), ("b", 0), ("c", 30), ("d", 0)):
            commit(store, a_step(identity=identity, at=after(days=days)))
        assert [record.identity for record in ledger(store)] == ["b", "d", "a", "c"]

    def test_a_damaged_document_is_refused(self, store):
        """C3: a document in the database that does not match its digest is named, with how to fix it."""
        commit(store, a_step(a_case()))
        store.database.run("UPDATE cases SET document = :document", {"document": b"{}"})
        with pytest.raises(StateError, match=r"case C-1 is damaged.*Restore it from a backup"):
            store.case("C-1")

    def test_small_facts_are_remembered(self, store):
        """The first UID of a mailbox, say, or a note that staff have been told."""
        store.set_fact("uid", "17")
        store.set_fact("told", "ü")
        store.commit()
        store.set_fact("uid", "18")
        store.rollback()
        assert (store.get_fact("uid"), store.get_fact("told"), store.get_fact("none")) == ("17", "ü", None)


@pytest.mark.parametrize("seed", range(4))
def test_all_stores_answer_alike(tmp_path, a_postgres, seed):
    """Whatever happens, in whatever order, with restarts between, the stores tell the same."""
    chance = random.Random(seed)
    urls = [f"tinydb:{tmp_path / 'state'}", a_postgres.new_database()]
    memory, *others = open_store(), *map(open_store, urls)
    for turn in range(50):
        something(chance, turn, (memory, *others))
        if chance.random() < 0.1:
            memory.rollback()
            for at, url in enumerate(urls):
                others[at].close()
                others[at] = open_store(url)
        if chance.random() < 0.1:
            others[0].checkpoint()
        expected = told(memory) | {"sequence": None}
        assert [told(other) | {"sequence": None} for other in others] == [expected, expected]
    for other in others:
        other.close()
