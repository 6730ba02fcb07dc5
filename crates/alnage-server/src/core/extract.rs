//! Bodies, forms and queries as values; what does not fit is a [`Failure`] like any other.

use std::fmt::Display;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Answered, Failure, State,
    handler::{FromHead, FromWhole, Given, Kind, Wants, Whole},
};

/// A body in JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromWhole<Whole> for Json<T> {
    const WANTS: Wants = Wants::Sent(Kind::Json);

    fn from_whole(given: Given, _: &State) -> Answered<Self> {
        serde_json::from_slice(&given.read).map(Self).map_err(|error| {
            let what =
                if error.is_data() { "the body is not what is asked for" } else { "the body is no JSON" };
            unfit(what, &error)
        })
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
            Err(error) => Failure::internal(error).into_response(),
        }
    }
}

/// What a page's form sends.
pub(crate) struct Form<T>(pub(crate) T);

impl<T: DeserializeOwned> FromWhole<Whole> for Form<T> {
    const WANTS: Wants = Wants::Sent(Kind::Form);

    fn from_whole(given: Given, _: &State) -> Answered<Self> {
        serde_urlencoded::from_bytes(&given.read).map(Self).map_err(|error| unfit("the form", &error))
    }
}

/// What stands after `?`.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromHead for Query<T> {
    fn from_head(given: &Given, _: &State) -> Answered<Self> {
        let query = given.head.uri.query().unwrap_or_default();
        serde_urlencoded::from_str(query).map(Self).map_err(|error| unfit("the query", &error))
    }
}

/// What stands in a path's segments.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: FromSegments> FromHead for Path<T> {
    fn from_head(given: &Given, _: &State) -> Answered<Self> {
        let value = T::from_segments(&given.segments);
        value
            .map(Self)
            .ok_or_else(|| Failure::internal("a route has not the segments that its handler takes"))
    }
}

/// What is made of a path's segments, in the order in which the route names them.
pub(crate) trait FromSegments: Sized {
    fn from_segments(segments: &[(String, String)]) -> Option<Self>;
}

impl FromSegments for String {
    fn from_segments(segments: &[(String, String)]) -> Option<Self> {
        match segments {
            [(_, only)] => Some(only.clone()),
            _ => None,
        }
    }
}

/// The last segment, whatever the others are.
pub(crate) struct Last(pub(crate) String);

impl FromSegments for Last {
    fn from_segments(segments: &[(String, String)]) -> Option<Self> {
        segments.last().map(|(_, text)| Self(text.clone()))
    }
}

impl FromSegments for (String, String) {
    fn from_segments(segments: &[(String, String)]) -> Option<Self> {
        match segments {
            [(_, one), (_, other)] => Some((one.clone(), other.clone())),
            _ => None,
        }
    }
}

fn unfit(what: &str, error: &dyn Display) -> Failure {
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", format!("{what}: {error}"))
}
