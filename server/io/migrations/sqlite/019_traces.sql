-- The caller's traceparent (W3C Trace Context), '' where none came.
ALTER TABLE jobs ADD COLUMN traceparent TEXT NOT NULL DEFAULT '';
