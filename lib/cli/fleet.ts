#!/usr/bin/env node
import module from "node:module";
import "./older-node.ts";

// Before anything else is loaded: with its code compiled already, a command starts in half the time. Node 20 cannot.
module.enableCompileCache?.();
await import("./main.ts");
