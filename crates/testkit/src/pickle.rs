//! Builds pickles opcode by opcode.
