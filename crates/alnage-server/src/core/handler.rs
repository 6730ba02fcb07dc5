//! Handlers: asynchronous functions of what they want of a request.
//!
//! axum would make a future of a type of its own for taking a request apart for each handler, which is much code and
//! slow to build. Here that is done before the handler is called; only the handler itself is a future.

use std::pin::Pin;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};

use http_body::Body as _;

use super::{Answered, Failure, State, bytes::piece};

/// What is to come of a request.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A request as handlers take it apart.
pub(crate) struct Given {
    pub(crate) head: Parts,
    /// What stands in the path's segments, by their names in the route, in their order.
    pub(crate) segments: Vec<(String, String)>,
    /// Empty when `read` is not.
    body: Body,
    /// The body, where the handler wants it whole.
    pub(crate) read: Bytes,
}

/// How a handler wants the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// As it comes, or not at all.
    Nothing,
    /// In memory.
    Whole,
    /// In memory, when it says that it is of this kind.
    Sent(Kind),
}

/// What a body may say that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Form,
}

impl Kind {
    fn accepts(self, media: &str) -> bool {
        match self {
            Self::Json => {
                media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
            }
            Self::Form => media == "application/x-www-form-urlencoded",
        }
    }

    /// Whether the body says that it is of this kind.
    fn check(self, headers: &HeaderMap) -> Answered<()> {
        let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = media.and_then(|value| value.split(';').next()).unwrap_or_default();
        if self.accepts(&media.trim().to_ascii_lowercase()) {
            return Ok(());
        }
        Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", self.wanted()))
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::Json => "the body is not sent as `application/json`",
            Self::Form => "the body is not sent as `application/x-www-form-urlencoded`",
        }
    }
}

/// An argument made from all but the body.
pub(crate) trait FromHead: Sized {
    fn from_head(given: &Given, state: &State) -> Answered<Self>;
}

/// The last argument, which may be made from the body. `By` only keeps the two ways apart.
pub(crate) trait FromWhole<By>: Sized {
    const WANTS: Wants;
    fn from_whole(given: Given, state: &State) -> Answered<Self>;
}

/// See [`FromWhole`].
pub(crate) enum Head {}
/// See [`FromWhole`].
pub(crate) enum Whole {}

impl<T: FromHead> FromWhole<Head> for T {
    const WANTS: Wants = Wants::Nothing;

    fn from_whole(given: Given, state: &State) -> Answered<Self> {
        T::from_head(&given, state)
    }
}

impl FromWhole<Whole> for Request {
    const WANTS: Wants = Wants::Nothing;

    fn from_whole(given: Given, _: &State) -> Answered<Self> {
        Ok(Self::from_parts(given.head, given.body))
    }
}

impl FromWhole<Whole> for Body {
    const WANTS: Wants = Wants::Nothing;

    fn from_whole(given: Given, _: &State) -> Answered<Self> {
        Ok(given.body)
    }
}

impl FromWhole<Whole> for Bytes {
    const WANTS: Wants = Wants::Whole;

    fn from_whole(given: Given, _: &State) -> Answered<Self> {
        Ok(given.read)
    }
}

impl FromHead for axum::extract::State<State> {
    fn from_head(_: &Given, state: &State) -> Answered<Self> {
        Ok(Self(state.clone()))
    }
}

impl FromHead for Method {
    fn from_head(given: &Given, _: &State) -> Answered<Self> {
        Ok(given.head.method.clone())
    }
}

impl FromHead for HeaderMap {
    fn from_head(given: &Given, _: &State) -> Answered<Self> {
        Ok(given.head.headers.clone())
    }
}

impl FromHead for axum::extract::RawQuery {
    fn from_head(given: &Given, _: &State) -> Answered<Self> {
        Ok(Self(given.head.uri.query().map(str::to_owned)))
    }
}

/// An asynchronous function whose arguments are made from a request.
pub(crate) trait Handle<Arguments>: Send + Sync + 'static {
    const WANTS: Wants;
    fn call(&self, given: Given, state: &State) -> Answer;
}

macro_rules! handle {
    ($($head:ident $argument:ident)*) => {
        impl<F, R, By, Last, $($head,)*> Handle<(By, Last, $($head,)*)> for F
        where
            F: Fn($($head,)* Last) -> R + Send + Sync + 'static,
            R: Future<Output: IntoResponse> + Send + 'static,
            $($head: FromHead,)*
            Last: FromWhole<By>,
        {
            const WANTS: Wants = Last::WANTS;

            fn call(&self, given: Given, state: &State) -> Answer {
                $(let $argument = match $head::from_head(&given, state) {
                    Ok(argument) => argument,
                    Err(failure) => return failed(failure),
                };)*
                match Last::from_whole(given, state) {
                    Ok(last) => answer(self($($argument,)* last)),
                    Err(failure) => failed(failure),
                }
            }
        }
    };
}

handle!();
handle!(A a);
handle!(A a B b);
handle!(A a B b C c);
handle!(A a B b C c D d);
handle!(A a B b C c D d E e);

impl<F, R> Handle<()> for F
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output: IntoResponse> + Send + 'static,
{
    const WANTS: Wants = Wants::Nothing;

    fn call(&self, _: Given, _: &State) -> Answer {
        answer(self())
    }
}

fn answer(work: impl Future<Output: IntoResponse> + Send + 'static) -> Answer {
    Box::pin(async move { work.await.into_response() })
}

fn failed(failure: Failure) -> Answer {
    Box::pin(std::future::ready(failure.into_response()))
}

type Call = dyn Fn(Given, &State) -> Answer + Send + Sync;

/// A handler of one type for all.
pub(crate) struct Handler {
    wants: Wants,
    call: Box<Call>,
}

impl Handler {
    pub(crate) fn of<A, H: Handle<A>>(handler: H) -> Self {
        Self { wants: H::WANTS, call: Box::new(move |given, state| handler.call(given, state)) }
    }

    /// Answers; a body that is wanted whole is at most `limit` long.
    pub(crate) async fn answer(
        &self,
        head: Parts,
        segments: Vec<(String, String)>,
        body: Body,
        limit: usize,
        state: &State,
    ) -> Response {
        let kind = match self.wants {
            Wants::Sent(kind) => kind.check(&head.headers),
            Wants::Nothing | Wants::Whole => Ok(()),
        };
        let bodies = match kind {
            Err(failure) => Err(failure),
            Ok(()) if self.wants == Wants::Nothing => Ok((body, Bytes::new())),
            Ok(()) => whole(body, limit).await.map(|read| (Body::empty(), read)),
        };
        match bodies {
            Ok((body, read)) => (self.call)(Given { head, segments, body, read }, state).await,
            Err(failure) => failure.into_response(),
        }
    }
}

/// The body, which is at most `limit` long.
async fn whole(mut body: Body, limit: usize) -> Answered<Bytes> {
    let too_large = || {
        let text = format!("the body is longer than {limit} bytes");
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", text)
    };
    // A length that is announced is only believed when it is too great.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let mut read = Vec::new();
    while let Some(piece) = piece(&mut body).await {
        let piece = piece.map_err(|error| {
            let text = format!("the request broke off: {error}");
            Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
        })?;
        if read.len() + piece.len() > limit {
            return Err(too_large());
        }
        read.extend_from_slice(&piece);
    }
    Ok(read.into())
}
