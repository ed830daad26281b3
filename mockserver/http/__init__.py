"""HTTP and related standards, one module each, used by both stub and suite and independent of them."""
