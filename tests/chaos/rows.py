"""The rows of the battery and how often each is played. `once` is what a release shows once."""

import dataclasses
import typing

import gpu_stage
import rows_dependencies as dependencies
import rows_gpu as gpu
import rows_http as http
import rows_workers as workers


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    about: str
    pr: int
    nightly: int
    once: int
    run: typing.Callable
    attempts_max: typing.Optional[int] = None  # that a job may have spent; None: any
    unable: typing.Optional[typing.Callable] = None  # gives why it can't run here
    compares: bool = True  # its videos with those of the undisturbed run

    def count(self, tier):
        return {"pr": self.pr, "nightly": self.nightly, "once": self.once}[tier]


TABLE = (
    Row("A1", "SIGKILL of a worker", 30, 1000, 300, workers.kill_workers),
    Row("A1-20s", "SIGKILL of a worker with a lease of 20 s", 1, 20, 3,
        workers.kill_at_default_lease),
    Row("A3", "SIGSTOP of a worker past its lease, SIGCONT", 5, 200, 50, workers.freeze_workers),
    Row("A4", "SIGKILL of the API during submissions", 20, 500, 100, dependencies.kill_api, 0),
    Row("A5", "SIGKILL of Redis", 5, 100, 30, dependencies.kill_redis, 0),
    Row("A6", "Redis flushed, full, a replica, out of reach", 2, 50, 30,
        dependencies.starve_redis, 0),
    Row("A7", "PostgreSQL killed, cut off, silent, slow, locked, serializing", 3, 100, 10,
        dependencies.strike_database, 0),
    Row("A8", "cut between COMMIT and its answer", 20, 500, 100, dependencies.lose_commits, 0),
    Row("A11", "a job that kills its workers", 1, 20, 3, workers.poison),
    Row("A12", "SIGTERM under load", 10, 200, 50, workers.drain_workers, 0),
    Row("A14", "clocks that lie", 6, 300, 6, dependencies.bend_clocks, 0,
        dependencies.no_faketime),
    Row("C6", "submissions of 200 KB at once", 100, 1000, 1000, http.submit_at_once, 0),
    Row("C7", "20 copies of each key at once", 50, 1000, 1000, http.submit_copies, 0),
    Row("C9", "followers, one in five stalled", 50, 500, 500, http.follow, 0),
    Row("C10", "webhook receivers that fail", 20, 500, 100, http.fail_webhooks, 0),
    Row("C11", "cancel and retry against every state", 200, 5000, 500, http.change_minds, 0),
    Row("G1", "two workflows whose files lie, one card", 8, 60, 20, gpu.two_workflows, 0,
        gpu_stage.unable, False),
    Row("G2", "a foreign program takes the card and gives it back", 0, 20, 6, gpu.foreign_tenant,
        0, gpu_stage.unable, False),
    Row("G3", "SIGKILL of a worker whose prompt runs", 1, 10, 3, gpu.kill_with_promise, None,
        gpu_stage.unable, False),
    Row("G4", "the card vanishes", 0, 8, 3, gpu.lost_card, 0, gpu_stage.unable,
        False),
)
