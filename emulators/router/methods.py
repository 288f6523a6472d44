"""What the router does of Eventarc, Cloud Run and Cloud Scheduler, which have behaviour here rather than methods."""

from typing import Literal

Status = Literal["done", "differs", "absent"]

BEHAVIOURS: tuple[tuple[str, str, Status, str], ...] = (
    ("eventarc", "object finalized, as Eventarc shapes it", "done", ""),
    ("eventarc", "message published, as Eventarc shapes it", "done", ""),
    ("eventarc", "retry with back-off, dead letter", "done", ""),
    ("eventarc", "object deleted, archived, metadata changed", "absent", "no function of the flow asks for them"),
    ("eventarc", "audit-log events", "absent", "the emulators write no audit log"),
    ("run", "cold start on the first request", "done", ""),
    ("run", "scale to `max_instances` by `concurrency`", "done", ""),
    ("run", "scale to zero", "differs", "after `DROPFORGE_IDLE_SECONDS` of the router's clock, 900 by default"),
    ("run", "memory limit", "differs", "looked at five times a second, so a short peak passes"),
    ("run", "time-out", "done", ""),
    ("run", "queue, and 429 beyond it", "done", ""),
    ("run", "streaming requests and responses", "done", ""),
    ("run", "WebSockets and HTTP/2", "absent", "no function of the flow asks for them"),
    ("run", "revisions and traffic splits", "absent", "one revision runs; its name changes with the bundle"),
    ("run", "ID tokens", "differs", "only with `DROPFORGE_AUTH=on`; any verified caller may call a private function"),
    ("scheduler", "cron's five fields, by the clock of a time zone", "done", ""),
    ("scheduler", "a message to Pub/Sub", "differs", "it fires on the router's clock, once however far that was moved"),
    ("scheduler", "HTTP targets and their retries", "absent", "a message has retries and a dead letter already"),
)
"""Service, behaviour, status, and the reason where it is not simply done."""
