//! Configuration, metrics, health and logs of a running service.
