target "base" {
  context = "base"
  platforms = ["linux/amd64", "linux/arm64"]
}
target "app" {
  context = "app"
  contexts = { base = "target:base" }
  platforms = ["linux/amd64", "linux/arm64"]
}
