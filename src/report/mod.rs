//! The report: owned, ordered, serialisable; and the words it is printed in.
