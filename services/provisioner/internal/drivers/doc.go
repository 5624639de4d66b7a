// Package drivers keeps the CSIDriver object of the installation, which tells
// Kubernetes what our RBD driver does. It never deletes the object: volumes of
// the driver outlive us.
package drivers
