target "build" {
  context = "builder"
}
target "build-next" {
  context = "builder"
  args = { DEBIAN = "13.1" }
}
target "check" {
  context = "check"
}
target "check-next" {
  context = "check"
  args = { DEBIAN = "13.1" }
}
