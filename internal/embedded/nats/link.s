// This file lets store.go declare functions that have their body elsewhere.
