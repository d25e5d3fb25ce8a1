target "jdk" {
  context = "java"
}
target "shop" {
  context = "shop"
  contexts = { java = "target:jdk" }
}
target "cart" {
  context = "cart"
}
