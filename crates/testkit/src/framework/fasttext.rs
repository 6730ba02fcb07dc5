//! Builds fastText models in which every number can be a lie.

/// A fastText model: what its file says, structure by structure.
pub struct FastText {
    /// Of the file format.
    pub version: i32,
    /// Numbers in a vector.
    pub dimension: i32,
    /// Words in a feature.
    pub word_ngrams: i32,
    /// 1 cbow, 2 skipgram, 3 supervised.
    pub model: i32,
    /// Buckets of hashed features.
    pub buckets: i32,
    /// Characters of the shortest and longest subword.
    pub subwords: (i32, i32),
    /// Entries, words and labels as the dictionary declares them.
    pub counts: (i32, i32, i32),
    /// Each entry, and 1 for a label.
    pub entries: Vec<(String, u8)>,
    /// How often each entry occurred.
    pub occurrences: i64,
    /// How many hashed features were kept, as declared.
    pub kept_count: i64,
    /// Buckets of kept features and their rows.
    pub kept: Vec<(i32, i32)>,
    /// The input matrix with its flag.
    pub input: Vec<u8>,
    /// The output matrix with its flag.
    pub output: Vec<u8>,
}

impl FastText {
    /// A classifier of two words and two labels, with six buckets and vectors of four numbers.
    pub fn classifier() -> Self {
        let entries = [("a", 0), ("b", 0), ("__label__x", 1), ("__label__y", 1)];
        Self {
            version: 12,
            dimension: 4,
            word_ngrams: 1,
            model: 3,
            buckets: 6,
            subwords: (2, 3),
            counts: (4, 2, 2),
            entries: entries.map(|(word, kind)| (word.to_owned(), kind)).to_vec(),
            occurrences: 7,
            kept_count: -1,
            kept: Vec::new(),
            input: fasttext_dense(8, 4, 32),
            output: fasttext_dense(2, 4, 8),
        }
    }

    /// The classifier made smaller: one hashed feature is kept, both matrices are quantised in parts of three numbers
    /// and one.
    pub fn quantised() -> Self {
        Self {
            kept_count: 1,
            kept: vec![(5, 0)],
            input: fasttext_quantised(3, 4, 6, [4, 2, 3, 1], true),
            output: fasttext_quantised(2, 4, 4, [4, 2, 3, 1], false),
            ..Self::classifier()
        }
    }

    /// Its file.
    pub fn build(&self) -> Vec<u8> {
        let (entries, words, labels) = self.counts;
        let (shortest, longest) = self.subwords;
        let mut numbers = vec![793_712_314, self.version, self.dimension, 5, 5, 1, 5, self.word_ngrams, 3];
        numbers.extend([self.model, self.buckets, shortest, longest, 100]);
        let mut file: Vec<u8> = numbers.into_iter().flat_map(i32::to_le_bytes).collect();
        file.extend(1e-4_f64.to_le_bytes());
        file.extend([entries, words, labels].into_iter().flat_map(i32::to_le_bytes));
        file.extend([99, self.kept_count].into_iter().flat_map(i64::to_le_bytes));
        for (word, kind) in &self.entries {
            file.extend_from_slice(word.as_bytes());
            file.push(0);
            file.extend(self.occurrences.to_le_bytes());
            file.push(*kind);
        }
        file.extend(self.kept.iter().flat_map(|&(bucket, row)| [bucket, row]).flat_map(i32::to_le_bytes));
        [file, self.input.clone(), self.output.clone()].concat()
    }
}

/// A dense matrix that declares rows and columns and has `numbers` numbers.
pub fn fasttext_dense(rows: i64, columns: i64, numbers: usize) -> Vec<u8> {
    let mut matrix = vec![0];
    matrix.extend([rows, columns].into_iter().flat_map(i64::to_le_bytes));
    matrix.extend([0x3f].repeat(4 * numbers));
    matrix
}

/// A quantised matrix with `codes` codes and a quantiser of this dimension, parts, numbers in a part and in the last;
/// with the norms quantised apart or not.
pub fn fasttext_quantised(rows: i64, columns: i64, codes: i32, quantiser: [i32; 4], norms: bool) -> Vec<u8> {
    let mut matrix = vec![1, u8::from(norms)];
    matrix.extend([rows, columns].into_iter().flat_map(i64::to_le_bytes));
    matrix.extend(codes.to_le_bytes());
    matrix.extend([0x11].repeat(codes.max(0) as usize));
    matrix.extend(fasttext_quantiser(quantiser));
    if norms {
        matrix.extend([0x22].repeat(rows as usize));
        matrix.extend(fasttext_quantiser([1, 1, 1, 1]));
    }
    matrix
}

fn fasttext_quantiser(numbers: [i32; 4]) -> Vec<u8> {
    let mut quantiser: Vec<u8> = numbers.into_iter().flat_map(i32::to_le_bytes).collect();
    quantiser.extend([0x3f].repeat(numbers[0].clamp(0, 64) as usize * 256 * 4));
    quantiser
}
