"""A flow as data: what a caller hears, what their keys mean, where they come out.

A flow is a set of nodes, each of one `kind`, that name each other. What is said is written beside it in
each of the flow's languages. The models refuse what is wrong within one node; `ivr.check` refuses what is
wrong between them. Adding a kind means: a model in the file of its family (with its `edges`), its name in
`whole.AnyNode`, its steps in `ivr.steps`, and nothing else.

    flow: support
    languages: [fa, en]
    start: hello
    person: people
    nodes:
      hello:  {kind: say, prompt: {fa: "سلام.", en: "Hello."}, next: people}
      people: {kind: queue, queue: cards}
"""

from ivr.flow.asking import FACTOR_DIGITS, IDENTITIES, AskNode, AuthenticateNode, Factor, LookupNode
from ivr.flow.base import (
    NAMES,
    RESERVED_VARIABLES,
    Edge,
    Filled,
    Keep,
    Kept,
    NodeModel,
    Prompt,
    Read,
    Slot,
    Stray,
    Trying,
    When,
    expression,
    fill,
    named,
    variables_in,
)
from ivr.flow.deciding import BranchNode, HoursNode, ReturnNode, SetNode, SubNode
from ivr.flow.people import (
    QUEUE_WAYS,
    CallbackNode,
    QueueNode,
    SurveyNode,
    SurveyReason,
    SurveyWords,
    TransferNode,
    VoicemailNode,
    Waiting,
)
from ivr.flow.spoken import BUILT_IN
from ivr.flow.talking import (
    CodesNode,
    CollectNode,
    Entry,
    HangupNode,
    LanguageNode,
    MenuNode,
    SayNode,
    last4,
)
from ivr.flow.whole import KINDS, AnyNode, Flow, Node, version_of

__all__ = [
    "BUILT_IN", "FACTOR_DIGITS", "IDENTITIES", "KINDS", "NAMES", "QUEUE_WAYS", "RESERVED_VARIABLES",
    "AnyNode", "AskNode", "AuthenticateNode", "BranchNode", "CallbackNode", "CodesNode", "CollectNode", "Edge", "Entry",
    "Factor", "Filled", "Flow", "HangupNode", "HoursNode", "Keep", "Kept", "LanguageNode", "LookupNode",
    "MenuNode", "Node", "NodeModel", "Prompt", "QueueNode", "Read", "ReturnNode", "SayNode", "SetNode", "Slot", "Stray",
    "SubNode", "SurveyNode", "SurveyReason", "SurveyWords", "TransferNode", "Trying", "VoicemailNode", "Waiting",
    "When", "expression", "fill", "last4", "named", "variables_in", "version_of",
]  # fmt: skip
