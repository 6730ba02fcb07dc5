//! Machine-learning bill of materials from facts: CycloneDX 1.7.
