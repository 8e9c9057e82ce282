//! HTTP: `/metrics`, `/livez`, `/readyz`, `/version`; anything else is 404.
//!
//! In: [`Metrics`], and a [`Health`] that the service keeps up to date. Out: answers to scrapers, orchestrators and
//! people. Connections are bounded in number and idle time; no request changes anything.

mod connections;
mod health;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::enriched::SCHEMA;
use crate::metrics::Metrics;
use connections::Connections;

pub use health::{Health, Reasons};

/// Time for answers under way at shutdown: a scrape takes milliseconds.
const GRACE: Duration = Duration::from_secs(1);

/// Starts the server; `shutdown` stops it.
///
/// # Errors
/// When the address cannot be bound.
pub async fn serve(
    listen: SocketAddr,
    metrics: Metrics,
    health: Health,
    shutdown: CancellationToken,
) -> io::Result<Server> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    tracing::info!(%address, "admin server listens");
    let router = router(metrics, health);
    let task = tokio::spawn(async move {
        let server = axum::serve(Connections::new(listener), router)
            .with_graceful_shutdown(shutdown.clone().cancelled_owned());
        let out_of_time = async {
            shutdown.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            result = server => {
                if let Err(error) = result {
                    tracing::error!(%error, "admin server failed");
                }
            }
            () = out_of_time => tracing::debug!("admin server left a connection open"),
        }
    });
    Ok(Server { address, task })
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// The address that was bound: the port is the real one where the configuration says 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the server has stopped, which it does after `shutdown`.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "admin server failed");
        }
    }
}

fn router(metrics: Metrics, health: Health) -> Router {
    let alive = health.clone();
    Router::new()
        .route(
            "/metrics",
            get(move || async move {
                ([(CONTENT_TYPE, Metrics::CONTENT_TYPE)], metrics.render()).into_response()
            }),
        )
        .route("/livez", get(move || async move { verdict("live", &alive.liveness()) }))
        .route("/readyz", get(move || async move { verdict("ready", &health.readiness()) }))
        .route("/version", get(|| async { version() }))
        .fallback(|| async {
            (StatusCode::NOT_FOUND, "not found; there are /metrics /livez /readyz /version\n")
        })
}

/// 200 when nothing speaks against it, 503 with the reasons otherwise.
fn verdict(name: &str, reasons: &Reasons) -> Response {
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_response(status, &json!({ name: reasons.is_empty(), "reasons": reasons }))
}

fn version() -> Response {
    let body = json!({ "name": "copydesk", "version": crate::BUILD, "schema": SCHEMA });
    json_response(StatusCode::OK, &body)
}

fn json_response(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}
