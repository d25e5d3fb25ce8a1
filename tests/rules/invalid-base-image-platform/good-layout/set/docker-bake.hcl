target "app" {
  contexts = { base = "oci-layout://images:1" }
  platforms = ["linux/arm64"]
}
