"""One trace from the client through both Pytoons to collector and webhook: W3C Trace Context, and
OTLP as JSON, judged by the mapping of its protobuf messages (opentelemetry-proto, trace.proto)."""

import http.server
import json
import re
import threading
import time
import unittest

from harness import KEY, WEBHOOK_SECRET, Server
from test_lifecycle import Sink

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
TEXT, NUMBER = str, re.compile(r"-?\d+")
ID = {16: re.compile("(?!0+$)[0-9a-f]{32}"), 8: re.compile("(?!0+$)[0-9a-f]{16}")}
# Fields of each message, by their JSON names. bytes(n): ids, which OTLP writes as hex; int64 and
# fixed64 are texts of digits; enumerations are numbers.
MESSAGES = {
    "ExportTraceServiceRequest": {"resourceSpans": ["ResourceSpans"]},
    "ResourceSpans": {"resource": "Resource", "scopeSpans": ["ScopeSpans"], "schemaUrl": TEXT},
    "Resource": {"attributes": ["KeyValue"], "droppedAttributesCount": int},
    "ScopeSpans": {"scope": "InstrumentationScope", "spans": ["Span"], "schemaUrl": TEXT},
    "InstrumentationScope": {"name": TEXT, "version": TEXT, "attributes": ["KeyValue"]},
    "Span": {"traceId": ID[16], "spanId": ID[8], "traceState": TEXT, "parentSpanId": ID[8],
             "flags": int, "name": TEXT, "kind": range(6), "startTimeUnixNano": NUMBER,
             "endTimeUnixNano": NUMBER, "attributes": ["KeyValue"], "status": "Status"},
    "Status": {"message": TEXT, "code": range(3)},
    "KeyValue": {"key": TEXT, "value": "AnyValue"},
    "AnyValue": {"stringValue": TEXT, "boolValue": bool, "intValue": NUMBER,
                 "doubleValue": float},
}


def check(value, kind, at="request"):
    """Raises where the value is no such message of the mapping."""
    if isinstance(kind, list):
        assert isinstance(value, list), at
        for i, one in enumerate(value):
            check(one, kind[0], f"{at}[{i}]")
    elif isinstance(kind, str):
        assert isinstance(value, dict), at
        for name, one in value.items():
            assert name in MESSAGES[kind], f"{at}: {kind} has no {name}"
            check(one, MESSAGES[kind][name], f"{at}.{name}")
    elif isinstance(kind, re.Pattern):
        assert isinstance(value, str) and kind.fullmatch(value), f"{at}: {value!r}"
    elif isinstance(kind, range):
        assert type(value) is int and value in kind, f"{at}: {value!r}"
    else:
        assert type(value) is kind, f"{at}: {value!r}"


class Collector(http.server.ThreadingHTTPServer):
    def __init__(self):
        self.spans, self.faults, self.refuse = [], [], 1  # the first request
        super().__init__(("127.0.0.1", 0), CollectorHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self, path, headers, body):
        try:
            assert path == "/v1/traces" and headers["Content-Type"] == "application/json"
            assert headers["x-tenant"] == "acme"
            request = json.loads(body)
            check(request, "ExportTraceServiceRequest")
            for resource in request["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    self.spans += scope["spans"]
        except (AssertionError, KeyError, ValueError) as error:
            self.faults.append(repr(error))


class CollectorHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        busy = self.server.refuse > 0
        self.server.refuse -= 1
        if not busy:
            self.server.take(self.path, self.headers, body)
        self.send_response(503 if busy else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


class Traces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.collector, cls.sink = Collector(), Sink()
        cls.far = Server(environment={"WORKER_CONCURRENCY": "1"}).start()
        cls.near = Server(environment={
            "ENGINE_POLICY_DEFAULT": "api_only", "API_ENGINE_KEY": KEY,
            "API_ENGINE_BASE_URL": f"http://127.0.0.1:{cls.far.port}",
            "WEBHOOK_SECRET": WEBHOOK_SECRET, "WEBHOOKS_ALLOW_PRIVATE": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{cls.collector.server_port}/",
            "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=acme"}).start()

    @classmethod
    def tearDownClass(cls):
        cls.near.remove()
        cls.far.remove()
        cls.sink.close()
        cls.collector.shutdown()
        cls.collector.server_close()

    def submit(self, headers=None, **more):
        answer = self.near.call("POST", "/api/v1/jobs", {
            "preset_id": "product_hero_clean", "prompt": "Light", "target_duration_seconds": 1,
            **more}, headers)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json()["job_id"]

    def spans_of(self, trace, count):
        for _ in range(200):
            found = [s for s in self.collector.spans if s["traceId"] == trace]
            if len(found) >= count:
                return found
            time.sleep(0.1)
        self.fail(f"{self.collector.spans} {self.collector.faults}")

    def test_one_trace_through_all(self):
        job_id = self.submit({"traceparent": PARENT}, webhook_url=self.sink.url)
        self.assertEqual(self.near.wait(job_id)["status"], "DONE")
        spans = self.spans_of(TRACE, 5)
        self.assertEqual(self.collector.faults, [])
        by_name = {span["name"]: span for span in spans}
        self.assertEqual(set(by_name), {"job", "prepare", "footage", "render", "assemble"})
        root = by_name["job"]
        self.assertEqual(root["parentSpanId"], SPAN)
        for span in spans:
            self.assertLessEqual(int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]))
            self.assertEqual(span["status"]["code"], 1)
            if span is not root:
                self.assertEqual(span["parentSpanId"], root["spanId"])
                self.assertGreaterEqual(int(span["startTimeUnixNano"]) + 10**6,
                                        int(root["startTimeUnixNano"]))
        self.assertEqual(len({span["spanId"] for span in spans}), len(spans))
        headers, _ = self.sink.wait(1)[0]
        self.assertEqual({k.lower(): v for k, v in headers.items()}["traceparent"],
                         f"00-{TRACE}-{root['spanId']}-01")
        of_far = [line for line in self.far.log_lines() if line["event"] == "job_created"]
        self.assertIn(TRACE, [line["trace_id"] for line in of_far], "the engine was not told")
        told = {line["event"] for line in self.near.log_lines() if line.get("trace_id") == TRACE}
        self.assertLessEqual({"http_request", "job_created", "job_dequeued", "segment_rendered",
                              "assembly_complete", "job_done"}, told)

    def test_without_one_the_job_has_its_own(self):
        for header in ({}, {"traceparent": "00-nonsense"}):
            job_id = self.submit(header)
            self.assertEqual(self.near.wait(job_id)["status"], "DONE")
            spans = self.spans_of(job_id.replace("-", ""), 5)
            (root,) = [span for span in spans if span["name"] == "job"]
            self.assertNotIn("parentSpanId", root)

    def test_a_cancelled_job_has_its_span(self):
        answer = self.near.call("POST", "/api/v1/jobs", {
            "preset_id": "product_hero_clean", "prompt": "Light", "target_duration_seconds": 60})
        job_id = answer.json()["job_id"]
        cancelled = self.near.call("POST", f"/api/v1/jobs/{job_id}/cancel")
        self.assertEqual(cancelled.status, 200, cancelled.body)
        trace = job_id.replace("-", "")
        for _ in range(200):
            roots = [span for span in self.collector.spans
                     if span["traceId"] == trace and span["name"] == "job"]
            if roots:
                break
            time.sleep(0.1)
        (root,) = roots
        self.assertEqual(root["status"], {"code": 2, "message": "cancelled"})
        (line,) = [line for line in self.near.log_lines() if line["event"] == "job_cancelled"]
        self.assertEqual(line["trace_id"], trace)

    def test_a_caller_who_does_not_record_is_not_recorded(self):
        trace = "1" * 32
        job_id = self.submit({"traceparent": f"00-{trace}-{SPAN}-00"})
        self.assertEqual(self.near.wait(job_id)["status"], "DONE")
        later = self.submit()
        self.assertEqual(self.near.wait(later)["status"], "DONE")
        self.spans_of(later.replace("-", ""), 5)
        self.assertNotIn(trace, {span["traceId"] for span in self.collector.spans})

    def test_a_refusal_names_its_trace(self):
        answer = self.near.call("GET", "/api/v1/jobs/none", headers={"traceparent": PARENT})
        self.assertEqual((answer.status, answer.json()["trace_id"]), (404, TRACE))
        fresh = [self.near.call("POST", "/api/v1/jobs", {}).json()["trace_id"] for _ in range(2)]
        self.assertRegex(fresh[0], "^[0-9a-f]{32}$")
        self.assertNotEqual(*fresh)
        for _ in range(100):  # the line is written once the answer is on its way
            logged = {line.get("trace_id") for line in self.near.log_lines()
                      if line["event"] == "http_request"}
            if {TRACE, *fresh} <= logged:
                return
            time.sleep(0.1)
        self.fail(f"{TRACE}, {fresh} are not all in {logged}")


if __name__ == "__main__":
    unittest.main()
