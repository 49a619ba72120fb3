"""Runs dbt inside a run's container: one command, or several up to the first that fails and may not.

Container stdin:  one line of JSON, {"steps": [{"command": "dbt build", "argv": ["build"]}, ...], "env": {"NAME":
                  "value"}}. When it ends before that line does, nothing is run: no_message is the last event. A line
                  before it, {"warm": {"options": ["--vars", ...], "env": {...}}}, has the project parsed with these
                  options, for a step that says "preloaded": true; with "options": null nothing is parsed. Of a step
                  with "spare_manifest": true the results are written, but not dbt's manifest: somebody has it; nor its
                  debug log, where nobody has said where or how to write it. After a step with "may_fail": true the
                  next one runs, whatever became of it. Where the message has an "end_of_log", that text is the last
                  thing on stdout.
Container stdout: the log, exactly as dbt prints it, and whatever project code writes to either stream. Where there
                  are several steps, a line before each says which one begins.
Container stderr: one JSON object a line, each with an "event": ready, warmed after a line that asks for it, for each
                  step step_started, invocation, nodes_selected, nodes_total, node_started, node_finished, parsed (of
                  dbt parse), step_finished, and always last, finished.
                  Only this file can write there.

dbt is imported before the message is read, so a container that waits answers at once. Any Python from 3.9 on and
any dbt from 1.8 on will do: nothing else is imported. With DCTL_PROGRAM=sqlmesh in the container's environment it is
SQLMesh that is imported and run, in place of dbt; its steps have no nodes.
"""

import atexit
import contextlib
import gc
import glob
import importlib
import json
import os
import pkgutil
import re
import select
import shutil
import signal
import stat
import sys
import threading
from datetime import datetime, timezone
from importlib.metadata import version
from math import isfinite

MAX_MESSAGE_BYTES = 4 * 1024
MAX_ERROR_BYTES = 8 * 1024
MAX_ARGUMENTS_BYTES = 64 * 1024
MAX_RESPONSE_BYTES = 4 * 1024
# Of an event with many nodes: whoever reads the protocol takes no line of more than 256 KiB.
MAX_SELECTED_BYTES = 64 * 1024
# A project's manifest is many objects that all stay: looking through them as often as Python does costs more than it
# finds, but never looking would let what parsing drops pile up to twice the memory.
GARBAGE_THRESHOLDS = (50_000, 20, 20)
# Where dbt's debug log is unless somebody says otherwise: with the container it is gone.
LOG_PATH = "logs"
# What dbt does unless it is told otherwise, and says of itself in its results.
USUAL = {"write_json": True, "log_level_file": "debug"}

# Variables that each run has others of; all others are its environment's.
OF_RUN = re.compile(r"DCTL_(RUN_ID|CAUSE|METADATA_)|DBT_CLOUD_([A-Z]+_ID|RUN_REASON)")

OK, HANDLED_FAILURES, UNHANDLED = 0, 1, 2
# Its own, so that whoever sees no more than the exit code knows that nothing was run.
NO_MESSAGE = 75


def main():
    protocol = Protocol(claim_protocol_descriptor())
    cancel = CancelSignal()
    exit_code, error, end_of_log = UNHANDLED, None, ""
    try:
        # What is imported stays for good: looking through it for garbage, now or later, is time lost.
        gc.disable()
        program = load_program(protocol)
        gc.freeze()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        gc.enable()
        message = read_message()
        if message is not None and "warm" in message:
            options, env = parse_warm(message)
            enter_project(env)
            protocol.emit({"event": "warmed", "parsed": program.warm(options)})
            gc.freeze()
            message = read_message()
        if message is None:
            protocol.emit({"event": "no_message"})
            return NO_MESSAGE, end_of_log
        steps, env, end_of_log = parse_run(message)
        program.prepare(enter_project(env))
        close_stdin()
        exit_code, error = run_steps(steps, program.run, protocol, cancel)
    except BaseException as exc:
        error = describe(exc)
    cancel.ignore_from_now_on()
    finished = {"event": "finished", "exit_code": exit_code, "error": cut(error, MAX_ERROR_BYTES)}
    if cancel.received and exit_code != OK:
        finished["interrupted"] = True
    protocol.emit(finished)
    return exit_code, end_of_log


def claim_protocol_descriptor():
    """Keeps stderr for the protocol; what anybody else writes to it joins the log. Children do not inherit it."""
    descriptor = os.dup(2)
    os.dup2(1, 2)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    return descriptor


class Protocol:
    """Writes events as lines. Never raises because of a reader that left: dbt's run matters more."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self._lock = threading.RLock()  # a signal may interrupt the main thread while it holds this

    def emit(self, event):
        line = (json.dumps(event) + "\n").encode()
        try:
            with self._lock:
                while line:
                    line = line[os.write(self._descriptor, line) :]
        except OSError:
            pass


class CancelSignal:
    """SIGINT is dbt's way to cancel the queries it has running; SIGTERM, Kubernetes' way to stop, means the same.

    Only the first one interrupts: another would break dbt's clean-up half-way.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self):
        self.received = False
        for number in self.SIGNALS:
            signal.signal(number, self._interrupt)

    def ignore_from_now_on(self):
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _interrupt(self, _number, _frame):
        if self.received:
            return
        self.received = True
        raise KeyboardInterrupt


def load_program(protocol):
    """Imports what the container is for, and returns what runs its steps."""
    if os.environ.get("DCTL_PROGRAM") == "sqlmesh":
        return importlib.import_module("shim_sqlmesh").load()
    dbt_main = importlib.import_module("dbt.cli.main")
    preload_while_waiting()
    protocol.emit({"event": "ready", "dbt_version": version("dbt-core")})
    return Dbt(dbt_main.dbtRunner)


def preload_while_waiting():
    """Imports what dbt would import only once it runs, until a message is there."""
    adapters = importlib.import_module("dbt.adapters")
    plugins = (
        f"dbt.adapters.{found.name}"
        for found in pkgutil.iter_modules(adapters.__path__)
        if os.path.exists(os.path.join(found.module_finder.path, found.name, "connections.py"))
    )
    for name in ("dbt.task.build", "dbt.task.deps", "dbt.task.docs.generate", *plugins):
        if select.select([0], [], [], 0)[0]:
            return
        try:
            importlib.import_module(name)
        except Exception:  # dbt says it better if the run turns out to need this one
            pass


def read_message():
    """None when stdin ends before the line does. Says what is wrong without quoting it: there are secrets in it."""
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        return None
    try:
        message = json.loads(line)
    except ValueError:
        raise ValueError("The message on stdin is not a line of JSON.") from None
    if not isinstance(message, dict):
        raise ValueError("The message on stdin must be an object.")
    return message


def parse_run(message):
    steps, env = message.get("steps"), message.get("env", {})
    if not isinstance(steps, list) or not steps or not all(map(is_step, steps)):
        raise ValueError("The message's steps must be a list of objects, each with a command and an argv.")
    end_of_log = message.get("end_of_log", "")
    if not isinstance(end_of_log, str):
        raise ValueError("The message's end_of_log must be a text.")
    return steps, checked_env(env), end_of_log


def parse_warm(message):
    warm = message["warm"]
    options = warm.get("options") if isinstance(warm, dict) else 0
    if options is not None and not is_words(options):
        raise ValueError("What is to be warmed must be an object; its options are a list of words, or null.")
    return options, checked_env(warm.get("env", {}))


def is_step(step):
    return isinstance(step, dict) and isinstance(step.get("command"), str) and is_words(step.get("argv"))


def is_words(words):
    return isinstance(words, list) and all(isinstance(word, str) for word in words)


def checked_env(env):
    if not isinstance(env, dict) or not all(isinstance(value, str) for value in env.values()):
        raise ValueError("The message's env must be an object of strings.")
    return env


def enter_project(env):
    """Returns the names of the variables that are new or have another value than before."""
    project = env.get("DCTL_PROJECT_DIR") or os.environ.get("DCTL_PROJECT_DIR", "/work/project")
    changed = {name for name, value in env.items() if os.environ.get(name) != value}
    os.environ.update({**default_env(project), **env})
    os.chdir(project)
    return changed


def close_stdin():
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)


@contextlib.contextmanager
def silence():
    """What is written to the log meanwhile is nowhere."""
    sys.stdout.flush()
    log = os.dup(1)
    try:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)


def default_env(project):
    """What a run has unless its message says otherwise."""
    return {
        "HOME": "/tmp",
        "PYTHONUNBUFFERED": "1",
        "DBT_PROFILES_DIR": project,
        "DBT_TARGET_PATH": "target",
        "DBT_LOG_PATH": LOG_PATH,
        "DBT_USE_COLORS": "false",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def run_steps(steps, run_step, protocol, cancel):
    """Runs the steps in order, up to the first that must end with 0 and does not. Returns what run_step said of it."""
    project = os.getcwd()
    for number, step in enumerate(steps, start=1):
        os.chdir(project)
        protocol.emit({"event": "step_started", "step": number, "started_at": now()})
        files = StepFiles(number) if len(steps) > 1 else None
        if len(steps) > 1:
            # What the step before printed may have ended within a line.
            print("\n" * (number > 1) + f"[dctl] step {number} of {len(steps)}: {step['command']}", flush=True)
        exit_code, error = run_step(step, emitter_of(number, protocol))
        finished_at = now()
        if files is not None:
            sys.stdout.flush()
            os.chdir(project)
            files.keep()
        protocol.emit(
            {
                "event": "step_finished",
                "step": number,
                "exit_code": exit_code,
                "error": cut(error, MAX_ERROR_BYTES),
                "finished_at": finished_at,
            }
        )
        if exit_code != OK and step.get("may_fail") is not True:
            return exit_code, error
        if cancel.received and number < len(steps):
            return UNHANDLED, "The run was interrupted."
    return OK, None


def emitter_of(number, protocol):
    return lambda event: protocol.emit({**event, "step": number})


class StepFiles:
    """Keeps the files that a step wrote to target/: the next step writes over them."""

    TARGET = "target"
    NOT_KEPT = re.compile(r"partial_parse\.msgpack|graph(_summary)?\.(gpickle|json)")

    def __init__(self, number):
        folder = os.environ.get("DCTL_STEPS_DIR", "/work/.dctl/steps")
        # Under the last name only once it is whole: the container may be killed meanwhile.
        self._unfinished, self._kept = os.path.join(folder, f".{number}"), os.path.join(folder, str(number))
        try:
            os.makedirs(self._unfinished, exist_ok=True)
            # The file system's clock is behind the process's by a few milliseconds.
            self._since = os.stat(self._unfinished).st_mtime_ns
        except OSError:
            self._since = None

    def keep(self):
        """With their times: they tell which files of a later step that was killed are its own."""
        if self._since is None or os.path.islink(self.TARGET):
            return
        for folder, _, names in os.walk(self.TARGET):
            for name in names:
                path = os.path.join(folder, name)
                name = os.path.relpath(path, self.TARGET)
                if not self.NOT_KEPT.fullmatch(name):
                    self._keep_file(path, os.path.join(self._unfinished, name))
        with contextlib.suppress(OSError):
            os.rename(self._unfinished, self._kept)

    def _keep_file(self, path, copy):
        try:
            found = os.lstat(path)
            # st_ctime: a copy may bring an older st_mtime along.
            if stat.S_ISREG(found.st_mode) and found.st_ctime_ns >= self._since:
                os.makedirs(os.path.dirname(copy), exist_ok=True)
                shutil.copy2(path, copy, follow_symlinks=False)
        except OSError:  # costs the artifact, not the run; half of it would look like the whole
            with contextlib.suppress(OSError):
                os.unlink(copy)


class Dbt:
    """Runs dbt's commands in this process, one after the other."""

    def __init__(self, runner_class):
        self._runner_class = runner_class
        self._manifest = None

    def warm(self, options):
        """Parses the project for a step to come. False: it can't be, and the step's own parsing will say why."""
        # dbt tells its adapter of catalogs only where it parses itself.
        if options is None or lacks_packages(["parse"]) or os.path.exists("catalogs.yml"):
            return False
        with silence():
            parsed = self._runner_class().invoke(["parse", *options], write_json=False, log_level_file="none")
            # Of parsing ahead nobody is to find anything.
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(os.environ["DBT_TARGET_PATH"], "perf_info.json"))
        self._manifest = parsed.result if parsed.success else None
        return self._manifest is not None

    def prepare(self, changed):
        """Forgets what was parsed when it may depend on variables that are other ones by now."""
        forget_noted_variables()
        if self._manifest is not None and any(map(self._has_read, changed)):
            self._manifest = None

    def _has_read(self, variable):
        return variable in self._manifest.env_vars or any(
            variable in read_text(path) for path in configuration_files()
        )

    def run(self, step, emit):
        """Returns (exit code, error text or None) with the meaning of the dbt command's own exit codes."""
        argv = step["argv"]
        if lacks_packages(argv):
            installed = self._runner_class().invoke(["deps"])
            if not installed.success:
                return UNHANDLED, describe(installed.exception or "dbt deps failed; the log says why.")
        # Of one step only: dbt writes into it what it compiles.
        manifest, self._manifest = self._manifest if step.get("preloaded") is True else None, None
        spared = what_is_spared(argv) if step.get("spare_manifest") is True else {}
        # Where dbt looks for the command that it notes in its results.
        sys.argv = ["dbt", *argv]
        reporter = NodeReporter(emit, spared)
        runner = self._runner_class(manifest=manifest, callbacks=[reporter.on_event])
        outcome = runner.invoke(argv, **spared)
        if spared:
            write_results(outcome.result, spared)
        if outcome.success:
            if argv[:1] == ["parse"]:
                emit({"event": "parsed", "reads_run": reads_run(outcome.result)})
            reporter.report_rest(outcome.result)
            return OK, None
        if outcome.exception is None:
            reporter.report_rest(outcome.result)
            return HANDLED_FAILURES, None
        if type(outcome.exception).__name__ == "DbtUsageException":  # the only one that dbt itself does not log
            print(f"Error: {outcome.exception}")
        return UNHANDLED, describe_failed(argv, outcome.exception)


def forget_noted_variables():
    """dbt looks once for the DBT_ENV_CUSTOM_ENV_... that it notes in its results: it may have done so ahead of them."""
    with contextlib.suppress(ImportError, AttributeError):
        importlib.import_module("dbt_common.events.functions").reset_metadata_vars()


def what_is_spared(argv):
    """What dbt is told so that it does not write what is there already, or what nobody would ever read."""
    return {"write_json": False, **({} if is_log_file_wanted(argv) else {"log_level_file": "none"})}


def is_log_file_wanted(argv):
    """Whether anybody has said something of dbt's debug log. Where it is by default, it goes with the container."""
    variable = re.compile("DBT_(ENGINE_)?LOG_LEVEL(_FILE)?|DBT_ENGINE_LOG_PATH")
    return (
        os.environ["DBT_LOG_PATH"] != LOG_PATH
        or any(map(variable.fullmatch, os.environ))
        or any(word.startswith(("--log-level", "--log-path")) for word in argv)
        or re.search("log[_-](level|path)", read_text("dbt_project.yml")) is not None
    )


def write_results(result, spared):
    """Writes them where and as dbt does, unless it is told to write nothing that is JSON."""
    if hasattr(result, "write"):
        result.args.update(as_usual(result.args, spared))
        result.write(os.path.join(os.environ["DBT_TARGET_PATH"], "run_results.json"))


def as_usual(arguments, spared):
    """dbt's arguments, as if it had been spared nothing: whoever reads them finds what it was asked for."""
    return {**arguments, **{name: USUAL[name] for name in spared}}


def reads_run(manifest):
    """Whether what was parsed may depend on the run that it was parsed for."""
    return any(map(OF_RUN.match, getattr(manifest, "env_vars", ()))) or any(
        OF_RUN.search(read_text(path)) for path in configuration_files()
    )


def configuration_files():
    """Those that dbt reads anew each time, and that what it parses depends on."""
    profiles = os.path.join(os.environ["DBT_PROFILES_DIR"], "profiles.yml")
    return [profiles, "profiles.yml", "dbt_project.yml", *glob.glob("dbt_packages/*/dbt_project.yml")]


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def describe_failed(argv, exc):
    error = describe(exc)
    if argv[:1] == ["retry"] and error.startswith("Couldn't find model "):
        error += " What failed then is no longer in the project: run the job instead of retrying."
    return error


def lacks_packages(argv):
    """Whether the project names packages that did not come with it. (dbt alone would only say: run dbt deps.)"""
    named = any(os.path.exists(name) for name in ("packages.yml", "dependencies.yml"))
    return named and not os.path.exists("dbt_packages") and argv[:1] not in (["deps"], ["clean"], ["debug"])


class NodeReporter:
    """Translates dbt's own events. Called in dbt's threads, for every event: it must be quick and never raise."""

    def __init__(self, emit, spared=()):
        self._emit = emit
        self._spared = spared
        self._total = None
        self._finished = set()

    def on_event(self, message):
        try:
            name = message.info.name
            if name == "NodeStart":
                self._node_started(message)
            elif name == "NodeFinished":
                self._node_finished(message)
            elif name == "ConcurrencyLine":
                self._nodes_total(message.data.node_count)
                self._selected(message, running_task())
            elif name == "LogStartLine":  # `dbt build` adds its unit tests only after the ConcurrencyLine
                self._nodes_total(message.data.total)
        except Exception:  # an event of another shape costs progress, not the run
            pass

    def report_rest(self, result):
        """Reports results that had no event: hooks, operations, and what --fail-fast or a failed hook skipped."""
        try:
            for item in getattr(result, "results", None) or ():
                unique_id = getattr(item, "unique_id", None) or item.node.unique_id
                if unique_id not in self._finished:
                    self._emit(finished_from_result(unique_id, item))
        except Exception:
            pass

    def _selected(self, message, task):
        """Tells what dbt is going to work on while it can still be told: a process that is killed writes no results."""
        if task is None:
            return
        invocation = {"invocation_id": message.info.invocation_id, "dbt_version": version("dbt-core")}
        arguments = arguments_of(task)
        if arguments is not None:
            arguments = as_usual(arguments, self._spared)
        self._emit({"event": "invocation", **invocation, "arguments": arguments})
        for nodes in in_pieces(selected_nodes(task), MAX_SELECTED_BYTES):
            self._emit({"event": "nodes_selected", "nodes": nodes})

    def _nodes_total(self, total):
        if total != self._total:
            self._total = total
            self._emit({"event": "nodes_total", "total": total})

    def _node_started(self, message):
        node = message.data.node_info
        if node.materialized == "ephemeral":  # only text inside other nodes: no result, not in the total
            return
        self._emit(
            {
                "event": "node_started",
                "unique_id": node.unique_id,
                "resource_type": node.resource_type,
                "name": node.node_name,
                "thread": message.info.thread,
                "started_at": utc(node.node_started_at),
            }
        )

    def _node_finished(self, message):
        node, result = message.data.node_info, message.data.run_result
        if node.materialized == "ephemeral":
            return
        self._finished.add(node.unique_id)
        response = result.adapter_response
        self._emit(
            {
                "event": "node_finished",
                "unique_id": node.unique_id,
                "resource_type": node.resource_type,
                "status": result.status,
                "started_at": utc(node.node_started_at),
                # A skipped node has no end of its own.
                "finished_at": utc(node.node_finished_at) or from_timestamp(message.info.ts),
                "duration_seconds": round(result.execution_time, 6),
                "rows_affected": whole(response["rows_affected"]) if "rows_affected" in response else None,
                "message": cut(result.message or None, MAX_MESSAGE_BYTES),
                "thread": result.thread or message.info.thread,
                **as_far_as_told(details_from_event, node, result),
            }
        )


def as_far_as_told(read, *what):
    """What another dbt may not tell. A node's end is worth more than all of it."""
    try:
        return read(*what)
    except Exception:
        return {}


def details_from_event(node, result):
    return {
        "timing": [timing_from_event(timing) for timing in result.timing_info],
        "adapter_response": plain(dict(result.adapter_response)),
        "failures": result.num_failures if node.resource_type in ("test", "unit_test") else None,
        "relation_name": node.node_relation.relation_name or None,
    }


def details_from_result(node, item):
    return {
        "timing": [timing_from_result(timing) for timing in item.timing],
        "adapter_response": plain(item.adapter_response),
        "failures": whole(item.failures),
        "relation_name": getattr(node, "relation_name", None),
    }


def running_task():
    """dbt's task that fires the event which is being handled: its events tell counts and no names."""
    frame = sys._getframe()
    while frame is not None:
        task = frame.f_locals.get("self")
        if isinstance(getattr(task, "_flattened_nodes", None), list):
            return task
        frame = frame.f_back
    return None


def arguments_of(task):
    """As dbt writes them into its results, and without what it hides there. None when they are too long to be told."""
    arguments = importlib.import_module("dbt.utils").args_to_dict(task.args)
    text = json.dumps(arguments, default=str)
    for name, value in (arguments.get("vars") or {}).items():
        if name.startswith("DBT_ENV_SECRET") and str(value).strip():
            text = text.replace(json.dumps(str(value))[1:-1], "*****")
    return json.loads(text) if len(text) <= MAX_ARGUMENTS_BYTES else None


def selected_nodes(task):
    """Each one's [unique id, resource type, relation name]."""
    nodes = [node for node in task._flattened_nodes if not node.is_ephemeral_model]
    # `dbt build` keeps its unit tests apart.
    nodes += [task.manifest.unit_tests[unique_id] for unique_id in getattr(task, "selected_unit_tests", ())]
    return [[node.unique_id, str(node.resource_type), getattr(node, "relation_name", None)] for node in nodes]


def in_pieces(items, max_bytes):
    """Lists of so many of the items that each takes about so many bytes as JSON."""
    piece, size = [], 0
    for item in items:
        length = len(json.dumps(item))
        if piece and size + length > max_bytes:
            yield piece
            piece, size = [], 0
        piece.append(item)
        size += length
    if piece:
        yield piece


def plain(response):
    """What an adapter says of a query, as far as it is short. Whole numbers come as fractions."""
    values = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in (response or {}).items()
        if value is None or isinstance(value, (str, int)) or (isinstance(value, float) and isfinite(value))
    }
    return values if len(json.dumps(values)) <= MAX_RESPONSE_BYTES else {}


def timing_from_event(timing):
    return {
        "name": timing.name,
        "started_at": from_timestamp(timing.started_at) if timing.HasField("started_at") else None,
        "completed_at": from_timestamp(timing.completed_at) if timing.HasField("completed_at") else None,
    }


def timing_from_result(timing):
    return {
        "name": timing.name,
        "started_at": utc(timing.started_at.isoformat()) if timing.started_at else None,
        "completed_at": utc(timing.completed_at.isoformat()) if timing.completed_at else None,
    }


def finished_from_result(unique_id, item):
    times = [moment for timing in item.timing for moment in (timing.started_at, timing.completed_at) if moment]
    node = getattr(item, "node", None)
    return {
        "event": "node_finished",
        "unique_id": unique_id,
        "resource_type": str(getattr(node, "resource_type", "operation")),
        "status": str(item.status),
        "started_at": utc(min(times).isoformat()) if times else None,
        "finished_at": utc(max(times).isoformat()) if times else None,
        "duration_seconds": round(item.execution_time, 6),
        "rows_affected": whole((item.adapter_response or {}).get("rows_affected")),
        "message": cut(item.message, MAX_MESSAGE_BYTES),
        "thread": item.thread_id or None,
        **as_far_as_told(details_from_result, node, item),
    }


def whole(number):
    return int(number) if isinstance(number, (int, float)) and number >= 0 else None


def utc(moment):
    """dbt's times are UTC without saying so."""
    return moment.replace("+00:00", "").rstrip("Z") + "Z" if moment else None


def now():
    return utc(datetime.now(timezone.utc).isoformat())


def from_timestamp(timestamp):
    moment = datetime.fromtimestamp(timestamp.seconds + timestamp.nanos / 1e9, timezone.utc)
    return utc(moment.isoformat())


def describe(exc):
    return str(exc).strip() or type(exc).__name__


def cut(text, max_bytes):
    """Cuts to so many bytes of UTF-8, at the end of a character."""
    if text is None:
        return None
    return text.encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")


def leave(exit_code, end_of_log):
    """Exits without freeing dbt's memory piece by piece, which takes longer than many a run."""
    atexit._run_exitfuncs()  # adapters close their connections here
    sys.stdout.flush()
    with contextlib.suppress(OSError):
        os.write(1, end_of_log.encode())
    os._exit(exit_code)


if __name__ == "__main__":
    leave(*main())
