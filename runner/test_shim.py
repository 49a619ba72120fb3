"""Tests of what the shim says, without dbt: python3 -m unittest discover runner"""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import types
import unittest
from datetime import datetime
from types import SimpleNamespace as Some
from unittest import mock

import shim


def event(name, info=None, **data):
    timestamp = Some(seconds=1767225600, nanos=0)
    return Some(info=Some(name=name, thread="Thread-1", ts=timestamp, **(info or {})), data=Some(**data))


def node(**changes):
    values = {
        "unique_id": "model.shop.orders",
        "resource_type": "model",
        "node_name": "orders",
        "materialized": "table",
        "node_started_at": "2026-01-01T00:00:01.500000",
        "node_finished_at": "2026-01-01T00:00:02",
    }
    return Some(**{**values, **changes})


def result(**changes):
    values = {"status": "success", "message": "OK", "thread": "Thread-7", "execution_time": 0.5, "adapter_response": {}}
    return Some(**{**values, **changes})


class NodeEvents(unittest.TestCase):
    def setUp(self):
        self.sent = []
        self.reporter = shim.NodeReporter(self.sent.append)

    def test_a_node_is_reported_when_it_starts_and_when_it_ends(self):
        self.reporter.on_event(event("NodeStart", node_info=node()))
        self.reporter.on_event(
            event("NodeFinished", node_info=node(), run_result=result(adapter_response={"rows_affected": 3.0}))
        )
        started, finished = self.sent
        self.assertEqual(started["started_at"], "2026-01-01T00:00:01.500000Z")
        self.assertEqual(finished["finished_at"], "2026-01-01T00:00:02Z")
        self.assertEqual((finished["status"], finished["rows_affected"]), ("success", 3))

    def test_a_skipped_node_ends_at_the_time_of_its_event(self):
        skipped = result(status="skipped", message="", thread="", execution_time=0.0)
        self.reporter.on_event(event("NodeFinished", node_info=node(node_finished_at=""), run_result=skipped))
        (finished,) = self.sent
        self.assertEqual(finished["finished_at"], "2026-01-01T00:00:00Z")
        self.assertEqual((finished["message"], finished["thread"]), (None, "Thread-1"))

    def test_an_ephemeral_model_is_not_a_node_of_the_run(self):
        self.reporter.on_event(event("NodeStart", node_info=node(materialized="ephemeral")))
        self.assertEqual(self.sent, [])

    def test_the_total_is_told_again_only_when_it_changes(self):
        self.reporter.on_event(event("ConcurrencyLine", node_count=27))
        self.reporter.on_event(event("LogStartLine", total=28))
        self.reporter.on_event(event("LogStartLine", total=28))
        self.assertEqual([sent["total"] for sent in self.sent], [27, 28])

    def test_an_event_of_another_shape_does_not_break_the_run(self):
        self.reporter.on_event(event("NodeStart"))
        self.reporter.on_event(None)
        self.assertEqual(self.sent, [])

    def test_results_without_an_event_are_reported_in_the_end(self):
        self.reporter.on_event(event("NodeFinished", node_info=node(), run_result=result()))
        timing = Some(started_at=datetime(2026, 1, 1), completed_at=datetime(2026, 1, 1, 0, 0, 2))
        common = {"status": "success", "message": None, "thread_id": "main", "execution_time": 2, "adapter_response": {}}
        hook = Some(node=Some(unique_id="operation.shop.start", resource_type="operation"), timing=[timing], **common)
        known = Some(node=Some(unique_id="model.shop.orders", resource_type="model"), timing=[], **common)
        self.reporter.report_rest(Some(results=[hook, known]))
        self.assertEqual([sent["unique_id"] for sent in self.sent], ["model.shop.orders", "operation.shop.start"])
        self.assertEqual(self.sent[1]["finished_at"], "2026-01-01T00:00:02Z")


def model(name, ephemeral=False, relation_name=None):
    unique_id = f"model.shop.{name}"
    return Some(
        unique_id=unique_id, resource_type="model", is_ephemeral_model=ephemeral, relation_name=relation_name
    )


class FakeTask:
    """Fires an event as dbt's task does: with itself among the callers."""

    def __init__(self, nodes, unit_tests=(), variables=None):
        self._flattened_nodes = nodes
        self.selected_unit_tests = {test.unique_id for test in unit_tests}
        self.manifest = Some(unit_tests={test.unique_id: test for test in unit_tests})
        self.args = {"which": "build", "vars": variables or {}}

    def begin(self, reporter):
        info = {"invocation_id": "the-invocation"}
        reporter.on_event(event("ConcurrencyLine", info=info, node_count=len(self._flattened_nodes)))


class WhatIsToCome(unittest.TestCase):
    def setUp(self):
        self.sent = []
        self.reporter = shim.NodeReporter(self.sent.append)
        dbt = types.ModuleType("dbt.utils")
        dbt.args_to_dict = dict
        fakes = {"dbt": types.ModuleType("dbt"), "dbt.utils": dbt}
        for patch in (mock.patch.dict(sys.modules, fakes), mock.patch.object(shim, "version", lambda _: "1.11.0")):
            patch.start()
            self.addCleanup(patch.stop)

    def test_every_node_is_named_before_any_begins_with_unit_tests_and_without_ephemeral_models(self):
        unit_test = Some(unique_id="unit_test.shop.a", resource_type="unit_test", is_ephemeral_model=False)
        task = FakeTask([model("a", relation_name="shop.a"), model("b", ephemeral=True)], [unit_test], {"day": None})
        task.begin(self.reporter)
        total, invocation, selected = self.sent
        self.assertEqual(total["total"], 2)
        self.assertEqual(
            invocation,
            {
                "event": "invocation",
                "invocation_id": "the-invocation",
                "dbt_version": "1.11.0",
                "arguments": {"which": "build", "vars": {"day": None}},
            },
        )
        self.assertEqual(
            selected["nodes"],
            [["model.shop.a", "model", "shop.a"], ["unit_test.shop.a", "unit_test", None]],
        )

    def test_a_line_is_never_too_long_however_many_nodes_there_are(self):
        FakeTask([model(f"{number:05}" + "x" * 200) for number in range(5000)]).begin(self.reporter)
        pieces = [sent["nodes"] for sent in self.sent if sent["event"] == "nodes_selected"]
        self.assertEqual(sum(map(len, pieces)), 5000)
        self.assertLess(max(len(json.dumps(piece)) for piece in pieces), 100 * 1024)

    def test_arguments_that_are_too_long_are_left_out(self):
        FakeTask([model("a")], variables={"long": "x" * 70_000}).begin(self.reporter)
        self.assertIsNone(self.sent[1]["arguments"])
        self.assertEqual(len(self.sent[2]["nodes"]), 1)

    def test_arguments_are_told_as_if_dbt_had_been_spared_nothing(self):
        reporter = shim.NodeReporter(self.sent.append, {"write_json": False, "log_level_file": "none"})
        FakeTask([model("a")], variables={}).begin(reporter)
        told = self.sent[1]["arguments"]
        self.assertEqual((told["write_json"], told["log_level_file"]), (True, "debug"))

    def test_variables_that_dbt_hides_are_hidden(self):
        FakeTask([model("a")], variables={"DBT_ENV_SECRET_KEY": 'a"b', "same": 'say a"b'}).begin(self.reporter)
        self.assertEqual(
            self.sent[1]["arguments"]["vars"], {"DBT_ENV_SECRET_KEY": "*****", "same": "say *****"}
        )

    def test_a_dbt_that_works_in_another_way_tells_its_total_all_the_same(self):
        self.reporter.on_event(event("ConcurrencyLine", node_count=3))
        del sys.modules["dbt.utils"].args_to_dict
        FakeTask([model("a")] * 3).begin(self.reporter)
        self.assertEqual([sent["event"] for sent in self.sent], ["nodes_total"])


class Details(unittest.TestCase):
    def test_a_result_has_what_dbt_writes_of_it(self):
        sent = []
        begun = datetime(2026, 1, 1)
        common = {"status": "fail", "message": None, "thread_id": "main", "execution_time": 2}
        item = Some(
            node=Some(unique_id="test.shop.a", resource_type="test", relation_name="shop.a"),
            timing=[Some(name="compile", started_at=begun, completed_at=None)],
            adapter_response={"rows_affected": 3.0, "code": "OK", "odd": float("nan"), "deep": {}},
            failures=2,
            **common,
        )
        shim.NodeReporter(sent.append).report_rest(Some(results=[item]))
        (told,) = sent
        self.assertEqual(
            told["timing"], [{"name": "compile", "started_at": "2026-01-01T00:00:00Z", "completed_at": None}]
        )
        self.assertEqual(told["adapter_response"], {"rows_affected": 3, "code": "OK"})
        self.assertEqual((told["failures"], told["relation_name"]), (2, "shop.a"))

    def test_a_long_response_is_left_out(self):
        self.assertEqual(shim.plain({"query": "x" * 5000}), {})


class Retry(unittest.TestCase):
    def test_a_node_that_is_gone_is_explained(self):
        gone = ValueError("Couldn't find model 'model.shop.a' -- does it exist or is it disabled?")
        self.assertRegex(shim.describe_failed(["retry"], gone), r"no longer in the project: run the job")
        self.assertEqual(shim.describe_failed(["run"], gone), str(gone))


class Message(unittest.TestCase):
    def read(self, line):
        stdin = Some(buffer=io.BytesIO(line))
        with mock.patch.object(sys, "stdin", stdin):
            return shim.read_message()

    def test_a_message_gives_steps_and_environment(self):
        steps = [{"command": "dbt run", "argv": ["run"]}]
        line = json.dumps({"steps": steps, "env": {"A": "b"}}).encode() + b"\n"
        self.assertEqual(shim.parse_run(self.read(line)), (steps, {"A": "b"}, ""))
        warm = {"warm": {"options": ["--vars", "{}"], "env": {"A": "b"}}}
        self.assertEqual(shim.parse_warm(warm), (["--vars", "{}"], {"A": "b"}))

    def test_a_bad_message_is_refused_without_quoting_it(self):
        for line in (
            b"{secret",
            b"[]",
            b"\xff",
            b'{"steps": []}',
            b'{"steps": "secret"}',
            b'{"steps": [{"command": "secret", "argv": "secret"}]}',
            b'{"steps": [{"argv": ["secret"]}]}',
            b'{"steps": [{"command": "", "argv": []}], "env": {"A": 1}}',
        ):
            with self.subTest(line), self.assertRaises(ValueError) as refused:
                shim.parse_run(self.read(line + b"\n"))
            self.assertNotIn("secret", str(refused.exception))
        for warm in ("secret", {"options": "secret"}, {"options": None, "env": "secret"}):
            with self.subTest(warm), self.assertRaises(ValueError) as refused:
                shim.parse_warm({"warm": warm})
            self.assertNotIn("secret", str(refused.exception))

    def test_a_text_is_cut_between_characters(self):
        self.assertEqual(shim.cut("aé", 2), "a")
        self.assertIsNone(shim.cut(None, 2))


FAKE_DBT = """
    import os, sys, time
    class Outcome:
        success, exception, result = True, None, None
    class Manifest:
        def __init__(self, argv):
            self.env_vars = {"READ": "default"}
            self.name = f"manifest of {argv} with {os.environ.get('READ')}"
    class Results:
        def __init__(self, args):
            self.args = args
        def write(self, path):
            with open(path, "w") as file:
                file.write(str(self.args))
    class dbtRunner:
        def __init__(self, manifest=None, callbacks=()):
            self.manifest = manifest
        def invoke(self, argv, write_json=True, log_level_file="debug"):
            os.makedirs("logs", exist_ok=True)
            if log_level_file != "none":
                open("logs/dbt.log", "w").close()
            print("log", argv, os.environ["GIVEN"], os.environ["DBT_TARGET_PATH"])
            os.system("echo stray >&2")
            outcome = Outcome()
            if argv[0] == "parse":
                outcome.success = os.environ["GIVEN"] != "broken"
                outcome.result = Manifest(argv)
                os.makedirs("target", exist_ok=True)
                open("target/perf_info.json", "w").close()
            elif self.manifest is not None:
                print(self.manifest.name)
            if argv[0] == "results":
                os.makedirs("target", exist_ok=True)
                outcome.result = Results({"write_json": write_json, "log_level_file": log_level_file})
                if write_json:
                    outcome.result.write("target/run_results.json")
                    outcome.result.write("target/manifest.json")
            if argv == ["fail"]:
                outcome.success = False
            if argv[0] == "write":
                for path in argv[1:]:
                    os.makedirs(os.path.dirname("target/" + path), exist_ok=True)
                    with open("target/" + path, "w") as file:
                        file.write(str(argv))
            if argv == ["link"]:
                os.symlink("/etc/passwd", "target/link")
                os.link("target/a", "target/linked")
                os.mkfifo("target/pipe")
                print("no line break", end="")
            if argv == ["kill"]:
                os.kill(os.getpid(), 9)
            if argv == ["cancelled"]:
                try:
                    os.kill(os.getpid(), 15)
                    time.sleep(30)
                except KeyboardInterrupt:
                    pass
            if argv == ["wait"]:
                try:
                    print("waiting")
                    time.sleep(30)
                except KeyboardInterrupt as exc:
                    outcome.success, outcome.exception = False, exc
            return outcome
"""


class Process(unittest.TestCase):
    """The whole shim as a process, with a dbt that only prints."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for path in ("dbt/cli", "dbt/adapters", "dbt_core-1.11.0.dist-info"):
            os.makedirs(os.path.join(self.folder, path))
        for package in ("dbt", "dbt/cli", "dbt/adapters"):
            self.write(f"{package}/__init__.py", "")
        self.write("dbt/cli/main.py", textwrap.dedent(FAKE_DBT))
        self.write("dbt_core-1.11.0.dist-info/METADATA", "Name: dbt-core\nVersion: 1.11.0\n")

    def write(self, path, text):
        with open(os.path.join(self.folder, path), "w") as file:
            file.write(text)

    def start(self):
        process = subprocess.Popen(
            [sys.executable, "-u", shim.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": self.folder,
                "DCTL_PROJECT_DIR": self.folder,
                "DCTL_STEPS_DIR": os.path.join(self.folder, "steps"),
            },
        )
        self.addCleanup(process.kill)
        return process

    def run_with(self, *steps, may_fail=()):
        steps = [
            {"command": "dbt " + " ".join(argv), "argv": argv, **({"may_fail": True} if number in may_fail else {})}
            for number, argv in enumerate(steps, start=1)
        ]
        message = json.dumps({"steps": steps, "env": {"GIVEN": "value"}}).encode() + b"\n"
        process = self.start()
        log, protocol = process.communicate(message, timeout=20)
        return process.returncode, log.decode(), [json.loads(line) for line in protocol.splitlines()]

    def test_the_log_is_on_stdout_and_only_events_are_on_stderr(self):
        code, log, events = self.run_with(["run"])
        self.assertEqual(log, "log ['run'] value target\nstray\n")
        self.assertEqual(
            [event["event"] for event in events], ["ready", "step_started", "step_finished", "finished"]
        )
        self.assertEqual((code, events[3]["exit_code"], events[3]["error"]), (0, 0, None))
        self.assertFalse(os.path.exists(os.path.join(self.folder, "steps")))

    def test_named_packages_are_installed_before_the_run_and_only_then(self):
        self.write("packages.yml", "")
        log = "log ['deps'] value target\nstray\nlog ['run'] value target\nstray\n"
        self.assertEqual(self.run_with(["run"])[1], log)
        os.mkdir(os.path.join(self.folder, "dbt_packages"))
        self.assertEqual(self.run_with(["run"])[1], "log ['run'] value target\nstray\n")

    def run_warm(self, warm, *steps, env=None):
        """The log, the events, and what came before the run's message was sent."""
        process = self.start()
        given = {"GIVEN": "value", **(env or {})}
        process.stdin.write(json.dumps({"warm": warm}).encode() + b"\n")
        process.stdin.flush()
        before = [json.loads(process.stderr.readline()) for _ in range(2)]
        steps = [{"command": "dbt", "preloaded": True, **step} for step in steps]
        log, protocol = process.communicate(json.dumps({"steps": steps, "env": given}).encode() + b"\n", timeout=20)
        return log.decode(), [json.loads(line) for line in protocol.splitlines()], before

    def test_a_step_gets_what_was_parsed_ahead_without_a_word_of_it_in_the_log(self):
        warm = {"options": ["--vars", "{}"], "env": {"GIVEN": "value"}}
        log, events, before = self.run_warm(warm, {"argv": ["one"]}, {"argv": ["two"]}, env={"DCTL_RUN_ID": "1"})
        self.assertEqual(before[1], {"event": "warmed", "parsed": True})
        self.assertEqual(events[-1]["exit_code"], 0)
        told = [line for line in log.splitlines() if "step" not in line and line not in ("", "stray")]
        manifest = "manifest of ['parse', '--vars', '{}'] with None"
        # The second has to parse anew: the first has written into what was parsed.
        self.assertEqual(told, ["log ['one'] value target", manifest, "log ['two'] value target"])
        self.assertFalse(os.path.exists(os.path.join(self.folder, "target/perf_info.json")))

    def test_what_is_parsed_ahead_writes_no_log_either(self):
        warm = {"options": [], "env": {"GIVEN": "value", "DBT_LOG_PATH": "logs"}}
        self.run_warm(warm, {"argv": ["results"], "spare_manifest": True})
        self.assertFalse(os.path.exists(os.path.join(self.folder, "logs/dbt.log")))

    def test_catalogs_are_not_parsed_ahead(self):
        self.write("catalogs.yml", "catalogs: []")
        before = self.run_warm({"options": [], "env": {"GIVEN": "value"}}, {"argv": ["one"]})[2]
        self.assertEqual(before[1], {"event": "warmed", "parsed": False})

    def test_what_was_parsed_ahead_is_not_used_where_it_may_be_another(self):
        warm = {"options": [], "env": {"GIVEN": "value"}}
        self.write("profiles.yml", "schema: \"{{ env_var('IN_PROFILE', '') }}\"")
        for env in ({"READ": "now"}, {"IN_PROFILE": "now"}):
            with self.subTest(env):
                self.assertNotIn("manifest", self.run_warm(warm, {"argv": ["one"]}, env=env)[0])
        self.assertIn("manifest", self.run_warm(warm, {"argv": ["one"]}, env={"NOT_READ": "now"})[0])
        self.assertNotIn("manifest", self.run_warm(warm, {"argv": ["one"], "preloaded": False})[0])

    def test_parsing_says_whether_it_read_variables_of_the_run(self):
        def reads_run():
            return [event["reads_run"] for event in self.run_with(["parse"])[2] if event["event"] == "parsed"]

        self.assertEqual(reads_run(), [False])
        self.write("dbt_project.yml", "query-comment: \"{{ dctl_comment(env_var('DBT_CLOUD_ENVIRONMENT_NAME')) }}\"")
        self.assertEqual(reads_run(), [False])
        self.write("dbt_project.yml", "name: \"{{ env_var('DCTL_METADATA_NAME', '') }}\"")
        self.assertEqual(reads_run(), [True])

    def test_a_project_that_cannot_be_parsed_ahead_is_run_all_the_same(self):
        for warm in (
            {"options": [], "env": {"GIVEN": "broken"}},
            {"options": None, "env": {"GIVEN": "value"}},
        ):
            log, events, before = self.run_warm(warm, {"argv": ["one"]})
            self.assertEqual(before[1], {"event": "warmed", "parsed": False})
            self.assertEqual((log, events[-1]["exit_code"]), ("log ['one'] value target\nstray\n", 0))

    def test_a_container_that_is_never_used_ends_without_having_run_anything(self):
        process = self.start()
        log, protocol = process.communicate(b'{"warm": {"options": [], "env": {"GIVEN": "value"}}}\n', timeout=20)
        events = [json.loads(line)["event"] for line in protocol.splitlines()]
        self.assertEqual((log, events), (b"", ["ready", "warmed", "no_message"]))
        self.assertEqual(process.returncode, shim.NO_MESSAGE)

    def test_results_are_written_where_the_manifest_is_spared_and_say_so_of_themselves(self):
        for spares in (False, True):
            with self.subTest(spares):
                self.run_warm({"options": None, "env": {"GIVEN": "value"}}, {"argv": ["results"], "spare_manifest": spares})
                self.assertEqual(os.path.exists(os.path.join(self.folder, "target/manifest.json")), not spares)
                with open(os.path.join(self.folder, "target/run_results.json")) as file:
                    self.assertEqual(file.read(), "{'write_json': True, 'log_level_file': 'debug'}")
                self.assertEqual(os.path.exists(os.path.join(self.folder, "logs/dbt.log")), not spares)
                for folder in ("target", "logs"):
                    shutil.rmtree(os.path.join(self.folder, folder))

    def test_the_debug_log_is_written_where_somebody_has_said_something_of_it(self):
        options = ({}, {"argv": ["results", "--log-level-file", "info"]}, {"argv": ["results", "--log-path=target"]})
        variables = ({}, {"DBT_LOG_LEVEL": "info"}, {"DBT_LOG_LEVEL_FILE": "debug"}, {"DBT_LOG_PATH": "target"})
        cases = [(option, {}, "") for option in options] + [({}, env, "") for env in variables]
        for option, env, project in [*cases, ({}, {}, "flags: { log_level_file: info }")]:
            with self.subTest((option, env, project)):
                self.write("dbt_project.yml", project)
                step = {"argv": ["results"], "spare_manifest": True, **option}
                self.run_warm({"options": None, "env": {"GIVEN": "value"}}, step, env=env)
                is_wanted = (option, env, project) != ({}, {}, "")
                self.assertEqual(os.path.exists(os.path.join(self.folder, "logs/dbt.log")), is_wanted)
                shutil.rmtree(os.path.join(self.folder, "logs"))

    def test_handled_failures_end_with_1(self):
        code, _, events = self.run_with(["fail"])
        self.assertEqual((code, events[-1]["exit_code"]), (1, 1))

    def test_no_message_means_no_run(self):
        whole = b'{"steps": [{"command": "dbt run", "argv": ["run"]}]}'
        for message in (b"", whole[:20], whole):  # the last lacks its end as well
            with self.subTest(message):
                process = self.start()
                log, protocol = process.communicate(message, timeout=20)
                self.assertEqual(log, b"")
                events = [json.loads(line)["event"] for line in protocol.splitlines()]
                self.assertEqual(events, ["ready", "no_message"])
                self.assertEqual(process.returncode, shim.NO_MESSAGE)

    def test_a_cancelled_run_says_that_it_was_interrupted(self):
        process = self.start()
        process.stdin.write(b'{"steps": [{"command": "dbt wait", "argv": ["wait"]}], "env": {"GIVEN": "value"}}\n')
        process.stdin.flush()
        self.assertTrue(any(b"waiting" in line for line in process.stdout))
        process.terminate()
        _, protocol = process.communicate(timeout=20)
        finished = json.loads(protocol.splitlines()[-1])
        self.assertEqual((process.returncode, finished["exit_code"], finished["interrupted"]), (2, 2, True))

    def kept(self):
        """The files that were kept, and what is in them."""
        found = {}
        for folder, _, names in os.walk(os.path.join(self.folder, "steps")):
            for path in (os.path.join(folder, name) for name in names):
                with open(path) as file:
                    found[os.path.relpath(path, os.path.join(self.folder, "steps"))] = file.read()
        return found

    def test_steps_run_in_order_up_to_the_first_that_fails(self):
        code, log, events = self.run_with(["one"], ["fail"], ["three"])
        headers = [line for line in log.splitlines() if line.startswith("[dctl]")]
        self.assertEqual(headers, ["[dctl] step 1 of 3: dbt one", "[dctl] step 2 of 3: dbt fail"])
        self.assertLess(log.index("log ['one']"), log.index(headers[1]))
        self.assertLess(log.index(headers[1]), log.index("log ['fail']"))
        self.assertEqual(
            [(event["event"], event.get("step"), event.get("exit_code")) for event in events[1:]],
            [
                ("step_started", 1, None),
                ("step_finished", 1, 0),
                ("step_started", 2, None),
                ("step_finished", 2, 1),
                ("finished", None, 1),
            ],
        )
        self.assertEqual(code, 1)

    def test_after_a_step_that_may_fail_the_others_run_and_decide(self):
        code, _, events = self.run_with(["fail"], ["two"], may_fail=[1])
        ends = [(event["step"], event["exit_code"]) for event in events if event["event"] == "step_finished"]
        self.assertEqual((ends, code, events[-1]["exit_code"]), ([(1, 1), (2, 0)], 0, 0))
        code, _, events = self.run_with(["fail"], ["fail"], ["three"], may_fail=[1])
        self.assertEqual((code, events[-2]["step"], events[-1]["exit_code"]), (1, 2, 1))

    def test_no_step_begins_after_one_that_may_fail_and_was_interrupted(self):
        code, log, events = self.run_with(["cancelled"], ["two"], may_fail=[1])
        self.assertNotIn("log ['two']", log)
        self.assertEqual((code, events[-1]["interrupted"]), (2, True))

    def test_what_each_step_wrote_is_kept_and_nothing_else(self):
        self.run_with(
            ["write", "a", "same", "partial_parse.msgpack", "graph.gpickle"], ["write", "same", "sub/b"], ["nothing"]
        )
        first, second = "['write', 'a', 'same', 'partial_parse.msgpack', 'graph.gpickle']", "['write', 'same', 'sub/b']"
        self.assertEqual(
            self.kept(), {"1/a": first, "1/same": first, "2/same": second, "2/sub/b": second}
        )
        self.assertEqual(sorted(os.listdir(os.path.join(self.folder, "steps"))), ["1", "2", "3"])

    def test_links_and_pipes_are_not_kept_and_a_header_begins_a_line(self):
        _, log, _ = self.run_with(["write", "a"], ["link"], ["three"])
        self.assertEqual({path for path in self.kept() if path.startswith("2/")}, {"2/a", "2/linked"})
        self.assertIn("no line break\n[dctl] step 3 of 3: dbt three\n", log)

    def test_a_step_that_is_killed_has_nothing_kept_under_its_name(self):
        code, _, events = self.run_with(["write", "a"], ["kill"])
        self.assertEqual((code, events[-1]["event"], events[-1]["step"]), (-9, "step_started", 2))
        self.assertEqual(sorted(os.listdir(os.path.join(self.folder, "steps"))), [".2", "1"])

    def test_no_step_begins_after_an_interrupt_that_dbt_made_nothing_of(self):
        code, log, events = self.run_with(["cancelled"], ["two"])
        self.assertNotIn("two", log.replace("step 1 of 2", ""))
        self.assertEqual((code, events[-1]["exit_code"], events[-1]["interrupted"]), (2, 2, True))


if __name__ == "__main__":
    unittest.main()
