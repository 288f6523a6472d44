"""The tables of the metadata. Resources are JSON as the API shows them; columns are what is looked up by."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, resource BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'noncurrent', 'soft')),
    blob TEXT NOT NULL, size INTEGER NOT NULL, purge_at REAL, resource BLOB NOT NULL,
    PRIMARY KEY (bucket, name, generation)) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS one_live ON objects (bucket, name) WHERE state = 'live';
CREATE INDEX IF NOT EXISTS by_blob ON objects (blob);
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, bucket TEXT NOT NULL, name TEXT NOT NULL, started REAL NOT NULL,
    request BLOB NOT NULL, result BLOB);
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL, number INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    written REAL NOT NULL, PRIMARY KEY (upload, number));
CREATE TABLE IF NOT EXISTS notifications (bucket TEXT, id TEXT, resource BLOB NOT NULL, PRIMARY KEY (bucket, id));
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, attributes BLOB NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS hmac_keys (access_id TEXT PRIMARY KEY, project TEXT NOT NULL, resource BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS folders (
    kind TEXT, bucket TEXT, name TEXT, resource BLOB NOT NULL, PRIMARY KEY (kind, bucket, name));
CREATE TABLE IF NOT EXISTS operations (bucket TEXT, id TEXT, resource BLOB NOT NULL, PRIMARY KEY (bucket, id));
CREATE TABLE IF NOT EXISTS deleted_buckets (
    name TEXT, generation INTEGER, purge_at REAL, resource BLOB NOT NULL, PRIMARY KEY (name, generation));
CREATE TABLE IF NOT EXISTS rewrites (token TEXT PRIMARY KEY, request BLOB NOT NULL, written INTEGER NOT NULL);
"""
TABLES = (
    "buckets",
    "deleted_buckets",
    "objects",
    "uploads",
    "parts",
    "notifications",
    "outbox",
    "hmac_keys",
    "folders",
    "operations",
    "rewrites",
)
