target "jdk" {
  dockerfile-inline = "FROM debian:12.5"
}
target "app" {
  context = "app"
  contexts = { java = "target:jdk" }
}
