//! Formats that are recognised by their first bytes and not read: flat buffers, programs, and data that runs nothing.

use crate::{Facts, Format, LoadEffect};

/// One row: id, title, extensions, effect of loading, what cannot be known, magic and where it stands.
macro_rules! recognised {
    ($($name:ident: $id:literal $title:literal [$($extension:literal)*] $effect:ident $cannot:literal $($at:literal $magic:literal)+;)*) => {
        $(static $name: Format = Format {
            id: $id,
            title: $title,
            extensions: &[$($extension),*],
            load_effect: LoadEffect::$effect,
            reads: "that it is one, by its first bytes",
            cannot: $cannot,
            identify: |probe| $(probe.has_at($at, $magic))||+,
            parse: |_, _| Facts::None {},
        };)*

        /// All of them.
        pub(super) static RECOGNISED: &[&Format] = &[$(&$name),*];
    };
}

recognised! {
    LLAMAFILE: "llamafile" "llamafile program" ["llamafile"] Executes "what the program does" 0 b"MZqFpD='" 0 b"jartsr='" 0 b"APEDBG='";
    CORE_ML_WEIGHTS: "core-ml-weights" "Core ML weights" ["bin"] Data "its tensors are not read" 64 b"\xef\xbe\xad\xde";
    CATBOOST: "catboost" "CatBoost model" ["cbm"] Data "its trees are not read" 0 b"CBM1";
    TENSORRT: "tensorrt" "TensorRT engine" ["engine" "plan" "trt"] MayExecute "the compiled kernels and plug-ins in it" 0 b"ftrt" 0 b"ptrt";
    RKNN: "rknn" "RKNN model" ["rknn"] MayExecute "the compiled program in it" 0 b"RKNN";
    NCNN: "ncnn-param" "NCNN parameters" [] Data "its layers are not read" 0 b"7767517\n";
    CNTK: "cntk" "CNTK model" [] MayExecute "its functions are not read" 0 b"B\0C\0N\0\0\0";
    MXNET: "mxnet-params" "MXNet parameters" ["params"] Data "its arrays are not read" 0 b"\x12\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    LIGHTGBM: "lightgbm" "LightGBM model" [] Data "its trees are not read" 0 b"tree\nversion=v";
    PARQUET: "parquet" "Parquet" ["parquet"] Data "its columns are not read" 0 b"PAR1";
    ARROW: "arrow" "Arrow file" ["arrow" "feather"] Data "its columns are not read" 0 b"ARROW1\0\0";
    AVRO: "avro" "Avro" ["avro"] Data "its records are not read" 0 b"Obj\x01";
    SQLITE: "sqlite" "SQLite database" ["sqlite" "sqlite3"] Data "its tables are not read" 0 b"SQLite format 3\0";
    PNG: "png" "PNG picture" ["png"] Data "its content" 0 b"\x89PNG\r\n\x1a\n";
    JPEG: "jpeg" "JPEG picture" ["jpg" "jpeg"] Data "its content" 0 b"\xff\xd8\xff";
    GIF: "gif" "GIF picture" ["gif"] Data "its content" 0 b"GIF87a" 0 b"GIF89a";
    WEBP: "webp" "WebP picture" ["webp"] Data "its content" 8 b"WEBPVP8";
    WAV: "wav" "WAV sound" ["wav"] Data "its content" 8 b"WAVEfmt " 8 b"WAVEJUNK" 8 b"WAVEbext";
    FLAC: "flac" "FLAC sound" ["flac"] Data "its content" 0 b"fLaC";
    OGG: "ogg" "Ogg stream" ["ogg" "opus"] Data "its content" 0 b"OggS\0";
    MP3: "mp3" "MP3 sound" ["mp3"] Data "its content" 0 b"ID3\x03" 0 b"ID3\x04" 0 b"\xff\xfb";
    MP4: "mp4" "MP4 film" ["mp4"] Data "its content" 4 b"ftyp";
    PDF: "pdf" "PDF document" ["pdf"] MayExecute "its scripts and attachments" 0 b"%PDF-";
    FONT: "font" "font" ["ttf" "otf" "woff" "woff2"] Data "its content" 0 b"\0\x01\0\0\0" 0 b"OTTO\0" 0 b"wOFF" 0 b"wOF2";
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use alnage_types::{ArtifactPath, Budget, MemorySource};

    use crate::analyse;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let source = Arc::new(MemorySource::new(bytes));
        let analysis = analyse(ArtifactPath::file("file"), source, &Budget::default());
        let formats: Vec<_> = analysis.artifacts.iter().map(|artifact| artifact.format).collect();
        assert!(formats.contains(&expected), "{formats:?}");
    }

    #[test]
    fn files_are_recognised_by_their_magic() {
        check(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", "png");
        check(b"\x1c\0\0\0TFL3\0\0\0\0", "tflite");
        check(b"MZqFpD='\n", "llamafile");
        check(b"tree\nversion=v4\n", "lightgbm");
        let mut weights = [0_u8; 128];
        weights[0] = 0x15;
        weights[4] = 2;
        weights[64..68].copy_from_slice(b"\xef\xbe\xad\xde");
        check(&weights, "core-ml-weights");
    }
}
