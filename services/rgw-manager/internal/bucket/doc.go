// Package bucket reads what a claim asks for of its bucket: the bucket's name, its
// limits, its policy and its lifecycle. All of it is pure: values in, values out.
//
// A setting is either understood whole or refused with the words that tell what to
// change, before anything is made of it.
package bucket
