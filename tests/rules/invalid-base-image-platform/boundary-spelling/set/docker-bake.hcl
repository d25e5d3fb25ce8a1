target "base" {
  context = "base"
  platforms = ["linux/amd64", "linux/arm64/v8"]
}
target "app" {
  context = "app"
  contexts = { base = "target:base" }
  platforms = ["linux/x86_64", "Linux/aarch64"]
}
