//go:build !linux

package main

// takeSlack does nothing: only Linux wakes threads late by request.
func takeSlack() {}
