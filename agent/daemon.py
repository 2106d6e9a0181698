"""The resident watcher: waits for a reason to look, and starts each look (a pass) as a child process.

It knows nothing of TPMs, settings or the runtime: a pass that hangs or crashes can't hurt it, and
its memory stays small. What it is told comes from status.json, which every finished pass replaces.
"""

import os
import selectors
import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from math import inf

from agent.codes import AgentError, Finding
from agent.codes import agent as codes
from agent.host import clock, failures, files, locks, sights, udev, wake
from agent.host.notify import Notifier
from agent.host.root import Root
from agent.running_pass import LONG_LOOK_S, RunningPass, read_status
from agent.watch import (
    FILES_LONGEST_S,
    FILES_QUIET_S,
    GLANCE_S,
    Outcome,
    Reason,
    Schedule,
    read_outcome,
    wanted_by,
)

_FOLDER = "/run/edge-provisioner"


class Watcher:
    """The watch over one device.

    `pass_argv` is the command that runs a pass; its reason is added as the last word.
    """

    def __init__(self, root: Root, *, pass_argv: tuple[str, ...]) -> None:
        """Prepare; nothing is watched before `run`."""
        self._root = root
        self._pass_argv = pass_argv
        self._folder = root.path(_FOLDER)
        self._status_path = os.path.join(self._folder, "status.json")
        self._schedule = Schedule()
        self._notifier = Notifier()
        self._selector = selectors.DefaultSelector()
        self._signals = wake.Signals(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGIO)
        self._udev: udev.Subscription | None = None
        self._pass: RunningPass | None = None
        self._ends: dict[int, int] = {}  # of the runtime's daemons: pid to pidfd
        self._mourned: set[int] = set()  # ended, and a pass was asked for because of it
        self._folders = sights.Folders()
        self._judged: Mapping[str, str] = {}  # the files by which the last pass judged, as it found them
        self._status_word: dict[str, str] = {}
        self._settled_s, self._glance_s = inf, -inf  # when files are to be compared
        self._quiet_s = FILES_QUIET_S
        self._told: dict[str, str] = {}  # code to summary of the troubles that last: each is said once
        self._reload_asked = self._reload_under_way = False

    def run(self) -> int:
        """Watch until SIGTERM or SIGINT; gives the exit status.

        Raises:
            AgentError: another watcher runs, or the run-time directory can't be written.

        """
        with ExitStack() as held:
            self._be_alone(held)
            held.callback(self._folders.close)
            self._listen(self._signals, self._on_signals)
            self._subscribe()
            self._notifier.ready()
            self._notifier.status("starting: the first look at this device is under way")
            self._schedule.want(Reason.START, clock.monotonic_s())
            while not self._schedule.finished:
                self._turn()
        return 0

    def _be_alone(self, held: ExitStack) -> None:
        path = os.path.join(self._folder, "watcher.lock")
        note = f"edge-provisioner run, pid {os.getpid()}"
        try:
            files.make_directory(self._folder)
            ours = held.enter_context(locks.locked(path, note=note.encode()))
        except OSError as error:
            reason = failures.reason(error)
            raise AgentError(codes.STATE_UNWRITABLE(path=error.filename, reason=reason)) from error
        if not ours:
            holder = locks.lock_note(path) or b"a watcher that has just ended"
            raise AgentError(codes.ALREADY_RUNNING(holder=holder.decode("utf-8", "replace")))

    def _turn(self) -> None:
        """Do what is due, wait for what comes next, and hear it."""
        now_s = clock.monotonic_s()
        self._notifier.feed(now_s)
        if now_s >= self._schedule.due_s():
            self._begin(now_s)
        if self._pass and now_s >= self._pass.due_s:
            self._pass.strike()
        if self._pass and now_s >= self._pass.long_at_s:
            self._tell_long_look(self._pass)
        if now_s >= min(self._settled_s, self._glance_s):
            self._compare(now_s)
        for key, _ in self._selector.select(self._wait_s()):
            key.data()

    def _wait_s(self) -> float:
        pass_due_s = min(self._pass.due_s, self._pass.long_at_s) if self._pass else inf
        files_due_s = min(self._settled_s, self._glance_s)
        next_s = min(self._schedule.due_s(), pass_due_s, self._notifier.feed_due_s, files_due_s)
        return max(0.0, next_s - clock.monotonic_s())

    def _listen(self, source: int | wake.Signals | udev.Subscription, hear: Callable[[], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, hear)

    # passes

    def _begin(self, now_s: float) -> None:
        reason = self._schedule.begin(now_s)
        self._reload_under_way |= self._reload_asked
        self._reload_asked = False
        self._forget_ends()  # a pass may restart the daemons; whose end it did not see is found afterwards
        try:
            self._pass = RunningPass((*self._pass_argv, reason.value), self._status_path)
        except OSError as error:
            self._after(f"could not be started ({failures.with_place(error)})", reason)
        else:
            self._listen(self._pass.end, partial(self._on_pass_end, self._pass, reason))

    def _on_pass_end(self, ended: RunningPass, reason: Reason) -> None:
        self._selector.unregister(ended.end)
        self._pass = None
        self._after(ended.reap(), reason)

    def _after(self, how: str, reason: Reason) -> None:
        """Arrange what follows a pass; `how` it ended, if not with a result."""
        now_s = clock.monotonic_s()
        outcome = self._read_status()
        if how:
            self._schedule.failed(now_s, clock.jitter())
            self._complain(how, reason)
            self._watch_ends(outcome.pids, now_s)
        else:
            self._told.pop(codes.PASS_CRASHED.name, None)
            self._go_by(outcome, now_s)
        self._compare(now_s)
        if self._udev is None:
            self._subscribe()
        if self._reload_under_way and not self._reload_asked:
            self._reload_under_way = False
            self._notifier.ready()

    def _go_by(self, outcome: Outcome, now_s: float) -> None:
        """Do as a finished pass says, ours or an operator's."""
        self._schedule.succeeded(now_s, outcome.look_again_s)
        self._notifier.status(outcome.line)
        self._watch_ends(outcome.pids, now_s)
        self._judged = outcome.judged

    def _read_status(self) -> Outcome:
        self._status_word = sights.at((self._status_path,))
        return read_outcome(read_status(self._status_path))

    def _complain(self, how: str, reason: Reason) -> None:
        if locks.lock_note(os.path.join(self._folder, "pass.lock")) is not None:
            return  # an operator's pass is under way and ours did not get its turn: no fault
        finding = codes.PASS_CRASHED(how=how, because=reason.value)
        self._notifier.status(f"{finding.code.phase}: {finding.summary} (what to do: {finding.remedy})")
        self._tell(finding)

    def _tell(self, finding: Finding) -> None:
        """Write a finding to the journal, unless that was said already and nothing changed."""
        if self._told.get(finding.code.name) == finding.summary:
            return
        self._told[finding.code.name] = finding.summary
        from agent.host import journal

        fields = {"MESSAGE_ID": finding.code.message_id, "code": finding.code.name, **dict(finding.facts)}
        said = f"{finding.summary} (what to do: {finding.remedy})"
        journal.send(self._root, said, finding.code.severity.priority, fields)

    def _tell_long_look(self, running: RunningPass) -> None:
        """Say that a look takes long, unless it says itself which step it is at."""
        running.long_at_s = inf
        outcome = self._read_status()
        if outcome.finished:
            told = f"{outcome.line}; " if outcome.line else ""
            self._notifier.status(f"{told}a look has been under way for more than {LONG_LOOK_S:.0f} s")

    # triggers

    def _on_signals(self) -> None:
        came = self._signals.take()
        if signal.SIGIO in came:
            self._settled_s = min(self._settled_s, clock.monotonic_s() + self._quiet_s)
        if signal.SIGHUP in came:
            self._reload_asked = True
            self._notifier.reloading(clock.monotonic_s())
            self._schedule.want(Reason.SIGNAL, clock.monotonic_s())
        if came & {signal.SIGTERM, signal.SIGINT}:
            self._notifier.stopping()
            self._schedule.stop()
            if self._pass:
                self._pass.tell_to_stop()

    def _subscribe(self) -> None:
        try:
            self._udev = udev.Subscription()
        except OSError as error:
            self._tell(codes.UDEV_UNAVAILABLE(reason=failures.reason(error)))
        else:
            self._told.pop(codes.UDEV_UNAVAILABLE.name, None)
            self._listen(self._udev, partial(self._on_udev, self._udev))

    def _on_udev(self, subscription: udev.Subscription) -> None:
        now_s = clock.monotonic_s()
        try:
            drained = subscription.drain()
        except OSError:
            self._selector.unregister(subscription)
            self._udev = None
            self._subscribe()
            self._schedule.want(Reason.UDEV, now_s)  # whatever was missed is found by looking
            return
        if drained.events or drained.overflowed:
            self._schedule.want(Reason.UDEV, now_s)

    def _compare(self, now_s: float) -> None:
        """See which files changed since the last look; whoever writes on meanwhile is heard of again."""
        self._settled_s, self._glance_s = inf, now_s + GLANCE_S
        try:
            self._folders.arm((self._status_path, *self._judged))
        except OSError as error:
            self._tell(codes.FILES_UNWATCHED(reason=failures.reason(error)))
        if sights.changes(self._status_word or {self._status_path: ""}):
            self._hear_status(now_s)
        if self._pass is None:  # a running one writes files itself, and is compared with when it has ended
            changes = sights.changes(self._judged)
            self._quiet_s = FILES_QUIET_S if changes else min(2 * self._quiet_s, FILES_LONGEST_S)
            for change in changes:
                reason, in_s = wanted_by(*change)
                self._schedule.want(reason, now_s, in_s=in_s)

    def _hear_status(self, now_s: float) -> None:
        """Hear of a step that is being done, or of what an operator's pass found."""
        outcome = self._read_status()
        if outcome.finished and self._pass is None:
            self._forget_ends()
            self._go_by(outcome, now_s)
        elif not outcome.finished:
            self._notifier.status(outcome.line)

    def _watch_ends(self, pids: tuple[int, ...], now_s: float) -> None:
        """Watch the runtime's daemons; whichever is gone already is a reason to look, once."""
        self._mourned &= set(pids)
        for pid in set(pids) - self._mourned:
            end = wake.end_of(pid)
            if end is None:
                self._mourn(pid, now_s)
            else:
                self._ends[pid] = end
                self._listen(end, partial(self._on_end, pid))

    def _on_end(self, pid: int) -> None:
        self._drop_end(pid)
        self._mourn(pid, clock.monotonic_s())

    def _mourn(self, pid: int, now_s: float) -> None:
        self._mourned.add(pid)
        self._schedule.want(Reason.EXIT, now_s)

    def _forget_ends(self) -> None:
        for pid in list(self._ends):
            self._drop_end(pid)

    def _drop_end(self, pid: int) -> None:
        end = self._ends.pop(pid)
        self._selector.unregister(end)
        os.close(end)
