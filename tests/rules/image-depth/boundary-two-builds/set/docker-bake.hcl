target "fast" {}
target "small" {
  args = { MODE = "small" }
}
