# Tests in a real browser; they are run by hand or by CI, not by make check.
