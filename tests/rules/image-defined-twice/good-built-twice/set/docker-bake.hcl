target "tools" {
  tags = ["example.com/tools:1"]
}

target "tools-strict" {
  tags = ["example.com/tools:1-strict"]
  args = { LEVEL = "2" }
}
