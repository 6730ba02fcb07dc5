//! Builds safetensors, GGUF and ONNX files.
