target "base" {
  context = "base"
}
target "app" {
  context = "app"
  contexts = { java = "target:jdk", base = "target:base" }
}
