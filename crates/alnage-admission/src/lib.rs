//! What a Kubernetes object would load, and the answer to its admission review.
