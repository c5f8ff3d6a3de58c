//! Configuration: YAML → raw → compiled snapshot, all problems at once.
