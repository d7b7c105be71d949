// Loaded before Azurite (node --require): ends it when the test process has ended in any way. The test process
// holds the other end of stdin, which the operating system closes.
process.stdin.on("close", () => process.exit(0));
process.stdin.resume();
