target "base" {
  context = "base"
  platforms = []
}
target "app" {
  context = "app"
  contexts = { base = "target:base" }
  platforms = ["linux/arm64"]
}
