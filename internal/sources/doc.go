// Package sources imitates what feeds ask: npm's two services, Open Collective, GH Archive and GitHub,
// each as an http.Handler with the limits of the real one. What they hold is said by
// the test, so that it knows the numbers that a warehouse must show.
//
// A source is safe for concurrent use once it has been set up.
package sources
