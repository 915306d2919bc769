// Catch2, whichever major version the system has.
#pragma once

#ifdef BPD_CATCH2_V3
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
