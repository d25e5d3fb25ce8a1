target "jdk" {
  context = "java"
  tags = ["registry.example.com/java:17"]
}
target "shop" {
  context = "shop"
  contexts = { java = "target:jdk" }
}
target "cart" {
  context = "cart"
}
