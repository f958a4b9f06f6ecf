"""Says what a play does, one line of JSON for each thing that happens: for a program to read, and nobody else.

`{"event": "task", "name": …}` when a task begins, `ok`, `changed`, `skipped`, `failed` or `unreachable` when it ends on the
server, with `message` and the output's `lines`, and `stats` at the end. What a task hides (`no_log`) stays hidden.
"""

import json
import sys

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
    name: slipway
    type: stdout
    short_description: one line of JSON for each event
    description: one line of JSON for each event
"""


def clean(text):
    """What a server says is text of a bounded length: it may say anything."""
    return "".join(c for c in text[:4000] if c in "\n\t" or c.isprintable())[:1000]


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "slipway"

    def say(self, event, **more):
        sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
        sys.stdout.flush()

    def ended(self, event, result):
        told = result._result
        hidden = told.get("_ansible_no_log", False) or result._task.no_log
        message = "" if hidden else clean(str(told.get("msg", "")))
        parts = [told.get("stdout_lines"), told.get("stderr_lines")]
        # What a module that fell over has printed.
        parts += [str(told.get(name, "")).splitlines() for name in ("module_stdout", "module_stderr", "exception")]
        output = [] if hidden else [line for part in parts for line in part or []]
        lines = [clean(line) for line in output[-200:] if isinstance(line, str)]
        self.say(event, name=result._task.get_name(), message=message, lines=lines)

    def v2_playbook_on_task_start(self, task, is_conditional):
        self.say("task", name=task.get_name())

    def v2_runner_on_ok(self, result):
        self.ended("changed" if result._result.get("changed") else "ok", result)

    def v2_runner_on_skipped(self, result):
        self.ended("skipped", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        if not ignore_errors:
            self.ended("failed", result)

    def v2_runner_on_unreachable(self, result):
        self.ended("unreachable", result)

    def v2_playbook_on_stats(self, stats):
        self.say("stats", **stats.summarize("server"))
