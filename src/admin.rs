//! HTTP: `/metrics`, `/livez`, `/readyz`, `/version`.
