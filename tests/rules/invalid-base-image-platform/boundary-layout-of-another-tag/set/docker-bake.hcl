target "app" {
  contexts = { base = "oci-layout://images:2" }
  platforms = ["linux/arm64"]
}
