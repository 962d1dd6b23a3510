"""Tests of the right half of the house: encoding, keeping, sending."""
