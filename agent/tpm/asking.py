"""Put a question to a TPM: a fork of ours reads what is there, and the library makes what is missing.

The library is a new interpreter's start and more: it is loaded where a key is to be made, or where it alone
knows the way to the TPM. Both are processes with a deadline for each step, so that a TPM that hangs can't
hang a pass.
"""

import signal
from functools import partial

from agent.host import fork, process
from agent.tpm import wire
from agent.tpm.protocol import (
    ChildRequest,
    Failure,
    FailureKind,
    Found,
    decode_answer,
    encode_request,
    missing,
)
from agent.tpm.templates import OLDER_EK_TEMPLATES
from agent.values import replace

# Steps that a conversation has, some to spare: each has a deadline of its own, by which it ends itself.
_STEPS_OF_READING = 5
_STEPS_OUTSIDE_CREATION = 10
_CREATIONS = 2 + len(OLDER_EK_TEMPLATES)


def ask(question: ChildRequest) -> Found | Failure:
    """Give both keys as the request wants them, or why not."""
    if not wire.is_ours(question.tcti):
        return _ask_library(question)
    look = partial(wire.look, question.tcti, question.read_s)
    looked = fork.run(look, _STEPS_OF_READING * question.read_s)
    answer = decode_answer(looked.stdout, _ending(looked))
    if isinstance(answer, Failure) or not missing(question, answer):
        return answer
    return _ask_library(replace(question, found=answer))


def _ask_library(question: ChildRequest) -> Found | Failure:
    longest_s = _CREATIONS * question.create_s + _STEPS_OUTSIDE_CREATION * question.read_s
    argv = process.module_argv("agent.tpm.esapi")
    finished = process.run(argv, process.Child(longest_s, stdin=encode_request(question)))
    return decode_answer(finished.stdout, _ending(finished))


def _ending(finished: process.Finished) -> Failure:
    if finished.timed_out or finished.status == -signal.SIGALRM:
        return Failure(FailureKind.HUNG)
    lines = finished.err.strip().splitlines()
    said = f", {lines[-1]}" if lines else ""
    return Failure(FailureKind.ENDED, detail=f"exit status {finished.status}{said}")
