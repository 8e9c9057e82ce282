//! One request after the other to a collector, over one connection that is made anew when it is lost.
//!
//! In: encoded spans. Out: how many of them the collector rejected, or why it took none and whether to try again.
//! HTTP/1.1, TLS by the OpenSSL that librdkafka uses. A request has a deadline, and answers have a bound.

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{
    CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use hyper::rt::{Read, Write};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use openssl::error::ErrorStack;
use openssl::ssl::{SslConnector, SslMethod};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use crate::config::Secrets;

/// Below an endpoint that names no path of its own (OTLP/HTTP).
const PATH: &str = "/v1/traces";

/// An answer has a count and a sentence in it.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Where a collector listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    text: String,
    is_tls: bool,
    host: String,
    port: u16,
    /// As the Host header has it.
    authority: String,
    path: String,
}

impl Endpoint {
    /// `http://host:4318` or `https://…`. Passwords do not belong into it.
    pub fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let is_tls = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let authority = uri.authority()?.as_str();
        if authority.contains('@') || uri.query().is_some() {
            return None;
        }
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
        let path = uri.path().trim_end_matches('/');
        let path = if path.ends_with(PATH) { path.to_owned() } else { format!("{path}{PATH}") };
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        (!host.is_empty() && port > 0).then(|| Self {
            text: text.to_owned(),
            is_tls,
            host: host.to_owned(),
            port,
            authority: authority.to_owned(),
            path,
        })
    }

    /// Whether what is sent can be read on its way.
    pub fn is_open(&self) -> bool {
        let is_loopback = self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        !self.is_tls && !is_loopback
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a header may be added to requests: the name's form, and that it is not one of the request's own.
pub fn is_free_header(name: &str) -> bool {
    const OWN: [&str; 7] = [
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "te",
        "transfer-encoding",
    ];
    HeaderName::try_from(name).is_ok_and(|name| !OWN.contains(&name.as_str()))
}

/// Whether a header may have this value.
pub fn is_header_value(value: &str) -> bool {
    HeaderValue::try_from(value).is_ok()
}

/// Why a collector took nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    /// The same request may pass later, not before the collector says so.
    #[error("{error}")]
    Later { error: String, not_before: Option<Duration> },
    #[error("{0}")]
    Never(String),
}

impl PostError {
    fn later(error: impl fmt::Display) -> Self {
        Self::Later { error: error.to_string(), not_before: None }
    }
}

pub(super) struct Client {
    endpoint: Endpoint,
    headers: HeaderMap,
    tls: Option<SslConnector>,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    pub(super) fn new(
        endpoint: &Endpoint,
        secrets: &Secrets,
        ca_file: Option<&Path>,
    ) -> Result<Self, ErrorStack> {
        let mut headers = HeaderMap::new();
        let own = [
            (CONTENT_TYPE, "application/x-protobuf"),
            (USER_AGENT, concat!("copydesk/", env!("CARGO_PKG_VERSION"))),
            (HOST, &endpoint.authority),
        ];
        let added = secrets.iter().filter_map(|(name, value)| Some((name.parse().ok()?, value)));
        for (name, value) in own.into_iter().chain(added) {
            if let Ok(mut value) = HeaderValue::from_str(value) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        let tls = endpoint.is_tls.then(|| connector(ca_file)).transpose()?;
        Ok(Self { endpoint: endpoint.clone(), headers, tls, connection: None })
    }

    /// Sends one request; returns how many spans of it the collector did not like.
    pub(super) async fn post(&mut self, body: Bytes, timeout: Duration) -> Result<u64, PostError> {
        let posted = tokio::time::timeout(timeout, self.try_post(body)).await;
        let result = posted.unwrap_or_else(|_elapsed| {
            Err(PostError::later(format!("no answer within {} ms", timeout.as_millis())))
        });
        if result.is_err() {
            self.connection = None;
        }
        result
    }

    async fn try_post(&mut self, body: Bytes) -> Result<u64, PostError> {
        if let Some(mut connection) = self.connection.take()
            && connection.ready().await.is_ok()
            && let Ok(answer) = connection.send_request(self.request(body.clone())).await
        {
            self.connection = Some(connection);
            return read(answer).await;
        }
        // There was none, or the collector has closed it meanwhile.
        let mut connection = self.connect().await?;
        let answer = connection.send_request(self.request(body)).await.map_err(PostError::later)?;
        self.connection = Some(connection);
        read(answer).await
    }

    fn request(&self, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = hyper::Method::POST;
        *request.uri_mut() = self.endpoint.path.parse().unwrap_or_default();
        *request.headers_mut() = self.headers.clone();
        request
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, PostError> {
        let Endpoint { host, port, .. } = &self.endpoint;
        let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(PostError::later)?;
        let Some(connector) = &self.tls else { return handshake(TokioIo::new(stream)).await };
        let session = connector.configure().and_then(|session| session.into_ssl(host));
        let stream = session.and_then(|session| SslStream::new(session, stream));
        let mut stream = stream.map_err(PostError::later)?;
        Pin::new(&mut stream).connect().await.map_err(PostError::later)?;
        handshake(TokioIo::new(stream)).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

fn connector(ca_file: Option<&Path>) -> Result<SslConnector, ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    if let Some(ca_file) = ca_file {
        builder.set_ca_file(ca_file)?;
    }
    Ok(builder.build())
}

async fn handshake<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, PostError>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let (connection, driver) = http1::handshake(stream).await.map_err(PostError::later)?;
    // Ends with the connection; what went wrong the request says too.
    tokio::spawn(async move { drop(driver.await) });
    Ok(connection)
}

async fn read(answer: Response<hyper::body::Incoming>) -> Result<u64, PostError> {
    let (head, body) = answer.into_parts();
    if head.status.is_success() {
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        // An answer that cannot be read says nothing against the spans.
        let answer = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let answer = ExportTraceServiceResponse::decode(answer).unwrap_or_default();
        let rejected = answer.partial_success.map_or(0, |partial| partial.rejected_spans);
        return Ok(u64::try_from(rejected).unwrap_or_default());
    }
    let error = format!("it answers {}", head.status);
    match head.status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            let seconds = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let not_before = seconds.and_then(|text| text.parse().ok()).map(Duration::from_secs);
            Err(PostError::Later { error, not_before })
        }
        _ => Err(PostError::Never(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_endpoint(text: &str, expected: Option<(&str, u16, &str)>) {
        let endpoint = Endpoint::parse(text);
        let found = endpoint.as_ref().map(|e| (e.host.as_str(), e.port, e.path.as_str()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn endpoints_are_bases_or_whole() {
        check_endpoint("http://collector:4318", Some(("collector", 4318, "/v1/traces")));
        check_endpoint("http://collector:4318/", Some(("collector", 4318, "/v1/traces")));
        check_endpoint("https://otlp.example/otlp", Some(("otlp.example", 443, "/otlp/v1/traces")));
        check_endpoint("http://[::1]:4318/v1/traces", Some(("::1", 4318, "/v1/traces")));
        check_endpoint("http://collector", Some(("collector", 80, "/v1/traces")));
        for text in [
            "",
            "collector:4318",
            "grpc://collector:4317",
            "http://",
            "http://a:0",
            "http://u:p@a",
            "http://a?b",
        ] {
            check_endpoint(text, None);
        }
        let is_open = |text| Endpoint::parse(text).unwrap().is_open();
        assert!(is_open("http://collector:4318") && !is_open("https://collector:4318"));
        assert!(!is_open("http://127.0.0.1:4318") && !is_open("http://[::1]:4318"));
    }
}
