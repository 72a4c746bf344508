"""The vocabulary: frozen values that pass through the pipeline.

Times are aware ``datetime`` values in UTC. Dates are calendar days in the company's time zone. An amount of money is a ``Decimal``
next to an ISO 4217 currency code. The store writes these types as JSON (msgspec).
"""

from mailbot.model.case import (
    Answered,
    Bounced,
    Case,
    CustomerEvent,
    DeadlinesReached,
    Event,
    HistoryEntry,
    Ignored,
    MailReference,
    Ordered,
    Proof,
    Reply,
    Requested,
    StaffMessage,
)
from mailbot.model.decision import (
    CaseChanged,
    CaseOpened,
    Change,
    Decision,
    DocumentFacts,
    EmailKind,
    Inform,
    LifecycleEvent,
    Notice,
    Recipient,
    Release,
    UnitChanged,
    UnitRemoved,
)
from mailbot.model.mail import (
    Address,
    Attachment,
    Auth,
    Bounce,
    Classification,
    Document,
    DueDate,
    FailedDelivery,
    Mail,
    Message,
    Role,
    SenderClass,
    StaffMember,
    Table,
)
from mailbot.model.request import (
    Command,
    CommandName,
    Exclusion,
    FinalState,
    Finding,
    HarmlessCommand,
    Intent,
    Kind,
    MessageOutcome,
    Missing,
    OpenState,
    Outcome,
    Price,
    PurchaseOrder,
    Request,
    RequestedUnit,
    ShipmentNotice,
    SpecialRequest,
    State,
)
from mailbot.model.snapshot import MailRecord, Snapshot, Step, Unit
from mailbot.model.unit import (
    CaseUnit,
    Charge,
    CommandResult,
    Deadline,
    DeadlineKind,
    Fact,
    Number,
    PendingApproval,
    PolicyStamp,
    Quote,
    RefusalReason,
    Token,
    Verdict,
)
from mailbot.model.values import Value
