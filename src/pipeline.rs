//! The journey from captures to report: the only module that knows every stop.
