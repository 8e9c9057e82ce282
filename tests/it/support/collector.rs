//! A collector for traces (OTLP over HTTP) inside the test: keeps what it is sent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub(crate) struct Collector {
    address: SocketAddr,
    received: Arc<Mutex<Received>>,
    /// Its server ends with it.
    _runtime: Runtime,
}

#[derive(Default)]
struct Received {
    /// Requests that are answered by 503 first.
    n_refusals: usize,
    headers: HeaderMap,
    requests: Vec<ExportTraceServiceRequest>,
}

impl Collector {
    /// Refuses this many requests before it takes any.
    pub(crate) fn start(n_refusals: usize) -> Self {
        let received = Arc::new(Mutex::new(Received { n_refusals, ..Received::default() }));
        let shared = Arc::clone(&received);
        let router = Router::new().route(
            "/v1/traces",
            post(async move |headers: HeaderMap, body: Bytes| take(&shared, headers, body)),
        );
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, received, _runtime: runtime }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A header of the last request.
    pub(crate) fn header(&self, name: &str) -> String {
        lock(&self.received).headers[name].to_str().unwrap().to_owned()
    }

    /// All spans so far, in the order of their names.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let received = lock(&self.received);
        let resources = received.requests.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        let mut spans: Vec<_> = scopes.flat_map(|scope| scope.spans.clone()).collect();
        spans.sort_by(|a, b| a.name.cmp(&b.name));
        spans
    }

    /// What all requests say of the process that sent them.
    pub(crate) fn resource(&self) -> BTreeMap<String, String> {
        let received = lock(&self.received);
        let mut resources = received.requests.iter().flat_map(|request| &request.resource_spans);
        let resource = resources.next().unwrap().resource.clone().unwrap();
        assert!(resources.all(|other| other.resource.as_ref() == Some(&resource)));
        attributes(&resource.attributes)
    }
}

fn take(received: &Mutex<Received>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut received = lock(received);
    if received.n_refusals > 0 {
        received.n_refusals -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    assert_eq!(headers["content-type"], "application/x-protobuf");
    received.headers = headers;
    received.requests.push(ExportTraceServiceRequest::decode(body).unwrap());
    StatusCode::OK
}

fn lock(received: &Mutex<Received>) -> MutexGuard<'_, Received> {
    received.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.clone().unwrap().value.unwrap() {
        Value::StringValue(text) => text,
        Value::IntValue(integer) => integer.to_string(),
        Value::BoolValue(boolean) => boolean.to_string(),
        other => panic!("{}: {other:?}", attribute.key),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}
